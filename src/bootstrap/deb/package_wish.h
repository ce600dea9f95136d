// What stands in a list of packages to install, in the words of apt-get(8): "nginx", "nginx=1.22.1-9",
// "nginx/bookworm-backports", "libc6:i386", "exim4-". Pure.
#pragma once

#include <string>
#include <string_view>

namespace vprov::deb {

// Views borrow from the text. At most one of version and release is given.
struct PackageWish {
    std::string_view name;
    std::string_view architecture;  // after ':'; "" for the native one, or, as for apt, another that has it
    std::string_view version;       // after '=': as in the archive, or a pattern ("1.22.*")
    std::string_view release;       // after '/': a suite, codename or version of a release, or a pattern
    bool removal = false;           // "name-": it must not come in, whoever wants it
};

// Takes a good one apart; of a bad one something that names no package.
PackageWish read_package_wish(std::string_view text);

// "" for a good one, and otherwise the cause that a message ends with.
std::string flaw_of_package_wish(std::string_view text);

}  // namespace vprov::deb
