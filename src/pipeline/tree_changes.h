// What has changed in a small tree, so that the same can be done to an image. Reads the tree.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vprov::pipeline {

// By path from the tree's top: "/etc/hostname".
using TreeSnapshot = std::map<std::string, struct stat>;

// Throws Error(disk), as the other does.
TreeSnapshot snapshot_of(const std::filesystem::path& tree);

struct TreeChange {
    enum class Kind { removed, directory, file, link, attributes };
    Kind kind = Kind::file;
    std::string path;
    unsigned mode = 0;  // permission bits
    std::uint32_t uid = 0, gid = 0;
    std::string content;  // of a file; a link's target
    bool operator==(const TreeChange&) const = default;
};

// What was removed first, the deepest before their directories; then the rest by path, directories before what is in
// them. Extended attributes are no part of it.
std::vector<TreeChange> changes_since(const TreeSnapshot& before, const std::filesystem::path& tree);

}  // namespace vprov::pipeline
