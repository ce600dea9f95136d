// Folders of .debs under the names that apt gives them, NAME_VERSION_ARCH.deb: /var/cache/apt/archives in a tree, and
// debootstrap's --cache-dir.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bootstrap/archive/archive.h"

namespace vprov::pipeline {

// "libc6_2.36-9_amd64.deb", the version's ':' as %3a. Pure.
std::string deb_name(const deb::Package& package);

// Puts what the folder has of `packages` into the cache, where size and digest are the index's; the rest is passed
// over. A folder that is not there has nothing. Throws Error(disk) for a cache that cannot be written.
void adopt_debs(const std::filesystem::path& folder, const std::vector<const deb::Package*>& packages,
                const archive::Cache& cache);

// Copies those of `packages` that the folder lacks (by name and size) from the cache. Throws Error(disk).
void keep_debs(const std::filesystem::path& folder, const std::vector<const deb::Package*>& packages,
               const archive::Cache& cache);

}  // namespace vprov::pipeline
