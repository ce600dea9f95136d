// Why a package is in a set, or is not. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bootstrap/resolve/resolve.h"

namespace vprov::resolve {

struct Why {
    bool in_set = false;
    std::string verdict;             // "libssl3 3.0.15-1 is installed", "exim4 is not installed"
    std::vector<std::string> steps;  // in the set: the shortest chain, what was asked for first; otherwise what speaks
                                     // for the package and against it, the weightiest first, at most twelve
};

// `set` is what `request` resolved to. `named` are the wishes in the request that the user wrote, where others were
// added; `name` may have an architecture ("libc6:i386"). A virtual name is answered for the package that provides it.
// Throws Error(packages) for a name that nothing has.
Why why(const deb::PackageIndex& index, const Request& request, const PackageSet& set,
        const std::vector<std::string>& named, std::string_view name);

}  // namespace vprov::resolve
