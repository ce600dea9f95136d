// The architectures of a system: its own, and those whose packages dpkg takes besides (dpkg --add-architecture). Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vprov::deb {

// Debian's names. A single one is written as what it is: a system without foreign architectures.
class Architectures {
  public:
    Architectures(std::string native) : names_{std::move(native)} {}
    Architectures(const char* native) : names_{native} {}
    Architectures(std::string native, const std::vector<std::string>& foreign);  // one that comes again counts once

    const std::string& native() const { return names_.front(); }
    std::vector<std::string> foreign() const { return {names_.begin() + 1, names_.end()}; }
    const std::vector<std::string>& names() const { return names_; }  // the native one first: apt's order of preference
    std::size_t size() const { return names_.size(); }

    // The position in names(): 0 for "all" as well, as for apt; nullopt for one that the system does not take.
    std::optional<std::size_t> number_of(std::string_view architecture) const {
        if (architecture == names_.front() || architecture == "all")
            return 0;
        for (std::size_t i = 1; i < names_.size(); ++i)
            if (architecture == names_[i])
                return i;
        return std::nullopt;
    }
    // "libc6:i386" for a foreign architecture, else the name alone: as apt shows packages.
    std::string full_name(std::string_view name, std::string_view architecture) const;

    bool operator==(const Architectures&) const = default;

  private:
    std::vector<std::string> names_;
};

}  // namespace vprov::deb
