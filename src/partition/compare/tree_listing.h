// What is in a tree, so that two can be compared. first_difference() is pure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "os/tree_files.h"

namespace vprov::partition {

struct ListedFile {
    mode_t mode = 0;  // with the type
    std::uint32_t uid = 0, gid = 0;
    std::int64_t mtime = 0;  // seconds since the epoch
    std::uint64_t size = 0;  // of a file
    dev_t device = 0;        // of a device file
    std::string content;     // a file's SHA-256, a link's target
    std::string same_as;     // of a hard link: the first path of the file
    std::vector<os::ExtendedAttribute> attributes;
};

// By path from the file system's own "/", which is not in it.
using TreeListing = std::map<std::string, ListedFile>;

struct PathDifference {
    std::string path;  // "/etc/motd"
    std::string what;  // for people: "content", "mode 0644, not 0600", "missing"
    bool operator==(const PathDifference&) const = default;
};

// Of what is `found` from what is `expected`, by paths in the order of their bytes.
std::optional<PathDifference> first_difference(const TreeListing& expected, const TreeListing& found);

// Reads all files. Throws Error(disk).
TreeListing list_tree(const std::filesystem::path& folder);

}  // namespace vprov::partition
