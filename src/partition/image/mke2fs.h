// mke2fs(8) as a command. Pure.
#pragma once

#include <cstdint>
#include <filesystem>

#include "os/command.h"
#include "partition/image/place.h"
#include "partition/layout/layout.h"

namespace vprov::partition {

// mke2fs for volume.filesystem at `place`. What mke2fs
// would take from the host (its mke2fs.conf, the kernel's features, the clock) is spelled out, so that the guest's
// kernel understands the result wherever it was made. UUID and hash seed are volume.uuid; `epoch` (seconds, not 0,
// which means "now" to mke2fs) becomes the time of creation.
os::Command mke2fs(const Volume& volume, const Place& place, std::int64_t epoch);

// Bytes for each inode that mke2fs() plans: a file system has size / bytes_per_inode of them.
std::uint64_t bytes_per_inode(Bytes size);

}  // namespace vprov::partition
