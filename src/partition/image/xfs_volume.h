// xfs: mkfs.xfs, filled by the kernel.
#pragma once

#include "os/command.h"
#include "partition/image/image.h"
#include "partition/image/place.h"
#include "partition/image/tree_size.h"

namespace vprov::partition {

// A part with a top is copied into the file system mounted through a loop device, in a private mount namespace: that
// takes root of the host, and an Error(disk) says so where there is none. Without, all is done in user space.
void write_xfs(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner);

// As a command, on a file or device that is all its own. Pure.
os::Command mkfs_xfs(const Volume& volume, const std::filesystem::path& target);

Bytes xfs_size(const TreeSize& tree, Bytes room);

}  // namespace vprov::partition
