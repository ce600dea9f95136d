// vfat: mkfs.fat and mtools, in user space.
#pragma once

#include "os/command.h"
#include "partition/image/image.h"
#include "partition/image/place.h"
#include "partition/image/tree_size.h"

namespace vprov::partition {

// FAT32 where there are clusters enough for it, as firmware likes it. Owners and modes are lost; what vfat cannot hold
// at all (a link, a device) is an Error(disk).
void write_vfat(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner);

// mkfs.fat as a command. Pure.
os::Command mkfs_fat(const Volume& volume, const Place& place);

Bytes vfat_size(const TreeSize& tree, Bytes room);

}  // namespace vprov::partition
