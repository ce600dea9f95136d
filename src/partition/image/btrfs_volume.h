// btrfs: mkfs.btrfs --rootdir, in user space.
#pragma once

#include "os/command.h"
#include "partition/image/image.h"
#include "partition/image/place.h"
#include "partition/image/tree_size.h"

namespace vprov::partition {

// mkfs.btrfs carries hard links, capabilities, devices and modes; nanoseconds of times become 0, holes data (6.2). It
// reads whole directories, so those that are left out are covered, in a private mount namespace. Device files that the
// tree has not are not added: the kernel mounts devtmpfs over /dev.
void write_btrfs(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner);

// As a command, on a file or device that is all its own. `tree` may be empty. Pure.
os::Command mkfs_btrfs(const Volume& volume, const std::filesystem::path& tree, const std::filesystem::path& target);

Bytes btrfs_size(const TreeSize& tree, Bytes room);

}  // namespace vprov::partition
