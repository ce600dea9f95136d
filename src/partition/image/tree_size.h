// What a tree will take in a file system. Reads the tree, changes nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>

#include "base/bytes.h"

namespace vprov::partition {

struct TreeSize {
    Bytes content;  // data blocks and directories, in blocks of 4096 bytes; hard links once, holes not
    std::uint64_t inodes = 0;
    std::int64_t newest = 0;  // latest modification, seconds since the epoch; 0 for none after 1970
};

// Without what is inside the directories `left_out`. Throws Error(disk) for what cannot be read.
TreeSize measure(const std::filesystem::path& tree, const std::set<std::filesystem::path>& left_out);

}  // namespace vprov::partition
