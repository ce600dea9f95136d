// The blocks of a directory. Internal to ext_filesystem.
#pragma once

#include <ext2fs/ext2fs.h>

#include <string>
#include <vector>

#include "partition/image/ext_filesystem.h"

namespace vprov::partition {

// Linear, "." and ".." first, then `entries` in their order; each block has room for the checksum where the file system
// has them, which is set as the block is written.
std::vector<std::string> directory_blocks(ext2_filsys fs, Inode self, Inode parent,
                                          const std::vector<DirectoryEntry>& entries);

}  // namespace vprov::partition
