// Errors that a user reads. Touches nothing.
//
// A message reads "cannot VERB NOUN: CAUSE"; text that came from a user or an archive is quoted with quote().
#pragma once

#include <fmt/format.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace vprov {

// What failed; the command line maps it to the exit codes of vprov(1).
enum class ErrorKind { internal, usage, recipe, archive, packages, disk, script, hypervisor, interrupted };

class Error : public std::exception {
  public:
    Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

    ErrorKind kind() const noexcept { return kind_; }
    const char* what() const noexcept override { return message_.c_str(); }
    const std::string& message() const noexcept { return message_; }

    // Puts "CONTEXT: " before the message. Used once per layer: `catch (Error& e) { e.add_context(...); throw; }`.
    Error& add_context(std::string_view context) {
        message_ = fmt::format("{}: {}", context, message_);
        return *this;
    }

  private:
    ErrorKind kind_;
    std::string message_;
};

// error(ErrorKind::disk, "cannot open {}: {}", quote(path), why)
template <class... Args>
Error error(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
    return Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

// "WHAT: No such file or directory"; `errno_value` is taken before anything else can change it.
Error system_error(ErrorKind kind, int errno_value, std::string_view what);

}  // namespace vprov
