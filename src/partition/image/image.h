// Writes disk images in user space: no loop device, no mount.
#pragma once

#include <filesystem>

#include "base/progress.h"
#include "os/command.h"
#include "partition/layout/layout.h"

namespace vprov::partition {

// Makes `image` (sparse, must not exist) with disk.filesystem, disk.uuid and disk.label, filled with the tree below
// `tree` (numeric owners, modes, links, hard links, devices, extended attributes, sparse files). Throws Error(disk);
// when the tree does not fit it says by how much. A failed image is removed.
void write_filesystem(const DiskPlan& disk, const std::filesystem::path& tree, const std::filesystem::path& image,
                      os::CommandRunner& runner);

// An empty file system, or swap space (mkswap's format, version 1, written natively).
void write_empty(const DiskPlan& disk, const std::filesystem::path& image, os::CommandRunner& runner);

}  // namespace vprov::partition
