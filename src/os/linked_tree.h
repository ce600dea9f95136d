// A second directory with the same files, which costs their names only.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace vprov::os {

// Whether what is at this path below the tree's top ("log/dpkg") is wanted; a directory that is not is left out whole.
using WantedPath = std::function<bool(const std::string&)>;

// Makes `to`, which must not exist, of hard links to all that is in `from`; links are linked, not followed, and
// directories are made anew with their modes and owners. Both are on one file system. Throws Error(disk); what has
// been made stays then.
void link_tree(const std::filesystem::path& from, const std::filesystem::path& to, const WantedPath& wanted);

}  // namespace vprov::os
