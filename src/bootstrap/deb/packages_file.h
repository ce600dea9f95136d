// The stanzas of one Packages file as packages. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "bootstrap/deb/package_index.h"

namespace vprov::deb {

enum class Digests { sha256_only, weak_too };  // what a stanza must have

// All of them in order, in as many parts as there were threads to read them. Of each package `release` and `order` are
// left 0; views borrow from `text`. Throws Error(archive) as PackageIndex::add() says, without the repository's name.
std::vector<std::vector<Package>> read_packages(std::string_view text, Digests digests);

}  // namespace vprov::deb
