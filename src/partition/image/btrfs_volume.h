// btrfs: mkfs.btrfs --rootdir, in user space.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "os/command.h"
#include "partition/image/image.h"
#include "partition/image/place.h"
#include "partition/image/tree_size.h"

namespace vprov::partition {

// mkfs.btrfs carries hard links, capabilities, devices and modes; nanoseconds of times become 0, holes data (6.2). It
// reads whole directories, so those that are left out are covered, in a private mount namespace. While it runs, empty
// files stand in the tree for the part's added device files.
void write_btrfs(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner);

// As a command, on a file or device that is all its own. `tree` may be empty. Pure.
os::Command mkfs_btrfs(const Volume& volume, const std::filesystem::path& tree, const std::filesystem::path& target);

struct StandingNode {
    ino_t inode = 0;  // of the file that stands in for a device
    mode_t mode = 0;  // with the type
    dev_t device = 0;
};

struct SameBytes {
    std::filesystem::path library;  // same_bytes_library() as a file
    std::int64_t date = 1;          // seconds since the epoch, in place of the clock
    std::vector<StandingNode> nodes;
};

// Keeps from the command's output whatever a second run would have otherwise: UUIDs follow from the volume's. Pure.
void write_the_same(os::Command& command, const Volume& volume, const SameBytes& as);

Bytes btrfs_size(const TreeSize& tree, Bytes room);

}  // namespace vprov::partition
