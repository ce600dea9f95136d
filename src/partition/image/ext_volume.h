// ext2, ext3 and ext4: libext2fs and mke2fs, in user space.
#pragma once

#include "os/command.h"
#include "partition/image/image.h"
#include "partition/image/place.h"
#include "partition/image/tree_size.h"

namespace vprov::partition {

// An empty file system for a part without a top. Throws Error(disk).
void write_ext(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner);

// The least size that has room for such a tree and `room` besides.
Bytes ext_size(Filesystem filesystem, const TreeSize& tree, Bytes room);

}  // namespace vprov::partition
