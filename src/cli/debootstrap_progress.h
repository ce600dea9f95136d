// What debootstrap says while it works: "I: Retrieving libc6 2.36-9", a line each.
#pragma once

#include <cstdio>
#include <mutex>
#include <set>
#include <string>

#include "base/progress.h"

namespace vprov::cli {

class DebootstrapProgress final : public Progress {
  public:
    enum class Verbosity { normal, verbose };
    DebootstrapProgress(std::FILE* to, Verbosity verbosity) : to_(to), verbosity_(verbosity) {}

    void started(Stage stage) override;
    void advanced(Stage stage, const StageProgress& progress) override;
    void finished(Stage stage, double seconds, std::string_view summary) override;
    void warning(std::string_view text) override;
    void detail(std::string_view text) override;

    void info(std::string_view text);  // "I: TEXT"
    std::string log() const;           // what scripts and commands said, and the lines above

  private:
    void say(std::string_view line);
    void say_once(std::string_view line);

    std::FILE* to_;
    Verbosity verbosity_;
    mutable std::mutex mutex_;
    std::set<std::string, std::less<>> said_;
    std::string log_;
    std::uint64_t fetched_ = 0;
};

}  // namespace vprov::cli
