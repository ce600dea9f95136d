// The order in which packages are unpacked and configured. Pure.
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "bootstrap/deb/package_index.h"

namespace vprov::configure {

// Every package after those it Pre-Depends and Depends on, as far as there are no cycles; otherwise by name. The
// result does not depend on the order of `packages`.
std::vector<const deb::Package*> install_order(std::span<const deb::Package* const> packages);

// The Essential packages of the set and what they need, from the set: what maintainer scripts may rely on
// (Debian Policy 3.8), and what is therefore configured first.
std::vector<const deb::Package*> essential_closure(std::span<const deb::Package* const> packages);

// What a package asks for, from the set: one package for each group that the set satisfies.
struct Needs {
    std::vector<const deb::Package*> before_unpacking;    // Pre-Depends
    std::vector<const deb::Package*> before_configuring;  // Pre-Depends and Depends
};
std::unordered_map<const deb::Package*, Needs> direct_needs(std::span<const deb::Package* const> packages);

}  // namespace vprov::configure
