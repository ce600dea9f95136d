// Copies a tree into a mounted file system.
#pragma once

#include <filesystem>

#include "partition/image/image.h"
#include "partition/image/tree_writer.h"

namespace vprov::partition {

// All of the part into the empty directory `into`: owners, modes, times of modification, hard links, devices, extended
// attributes; blocks of zeros become holes. Throws Error(disk).
void copy_tree(const TreePart& part, const std::filesystem::path& into, RootMode root_mode);

}  // namespace vprov::partition
