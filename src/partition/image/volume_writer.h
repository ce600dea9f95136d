// One file system into its place: which way each goes.
#pragma once

#include "os/command.h"
#include "partition/image/image.h"
#include "partition/image/place.h"
#include "partition/image/tree_size.h"

namespace vprov::partition {

// Whether a file system is filled in user space, or by mounting it: mkfs.xfs's prototype files know neither sticky bits
// nor hard links, extended attributes, times and blanks in names (xfsprogs 6.1).
enum class FilledBy { user_space, mounting };
FilledBy filled_by(Filesystem filesystem);

// Makes the file system of `volume` at `place`, with the part of a tree; an empty one for a part without a top, and
// nothing for Filesystem::none. Throws Error(disk).
void write_volume(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner);

// The least size, in whole mebibytes, of a volume with such content and volume.room besides.
Bytes size_for(const Volume& volume, const TreeSize& content);

}  // namespace vprov::partition
