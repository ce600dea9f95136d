// The conffiles file of a package (deb-conffiles(5)). Pure.
#pragma once

#include <string_view>
#include <vector>

namespace vprov::unpack {

struct Conffile {
    std::string_view path;           // absolute
    bool remove_on_upgrade = false;  // not shipped any more; dpkg removes the administrator's at an upgrade
    bool operator==(const Conffile&) const = default;
};

// Views borrow from `text`. Throws Error(archive) with the bare cause for a line that dpkg would refuse.
std::vector<Conffile> read_conffiles(std::string_view text);

}  // namespace vprov::unpack
