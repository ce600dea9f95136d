// dpkg's statoverride file, as dpkg-statoverride(1) writes it: owners and modes that an administrator or a script wants
// for paths, whatever their packages say. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace vprov::unpack {

struct StatOverride {
    std::uint32_t uid = 0, gid = 0;
    unsigned mode = 0;
    bool operator==(const StatOverride&) const = default;
};

// By absolute path. `passwd` and `group` are the texts of the tree's files of these names; "#12" is a number as it
// stands. Throws Error(packages) as dpkg refuses to go on: for a line that is none, or a name that nobody has.
std::map<std::string, StatOverride, std::less<>> read_stat_overrides(std::string_view text, std::string_view passwd,
                                                                     std::string_view group);

}  // namespace vprov::unpack
