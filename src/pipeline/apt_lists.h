// apt's own copies of the package lists, /var/lib/apt/lists, as `apt-get update` leaves them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bootstrap/archive/archive.h"

namespace vprov::pipeline {

// The file in /var/lib/apt/lists for what comes from `url`: without scheme and user, '/' as '_', and what may not stand
// there as %XX (apt-pkg/strutl.cc, URItoFileName). Pure.
std::string apt_list_name(std::string_view url);

// Writes into `folder` (an existing directory) the Release files in `releases`, which by URL are those that the index
// was verified with, and the Packages files that they list, decompressed. The texts come from the cache, where the
// index stage has left them, or again through `transport`, and their digests are checked. Flat repositories are passed
// over. Throws Error(archive), Error(disk).
void write_apt_lists(const std::filesystem::path& folder, const std::vector<archive::Repository>& repositories,
                     const deb::Architectures& architectures, const std::map<std::string, std::string>& releases,
                     const archive::Cache& cache, archive::Transport& transport);

}  // namespace vprov::pipeline
