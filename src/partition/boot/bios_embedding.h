// GRUB's two parts where a BIOS finds them: boot.img in a disk's first sector, core.img in sectors that belong to no
// file system. What grub-bios-setup(8) does, without a device. Pure.
//
// Formats: GRUB 2.06, include/grub/i386/pc/boot.h (boot.img, block lists) and include/grub/offsets.h (core.img); the
// order of things: util/setup.c. No Reed-Solomon code is added, as with grub-install --no-rs-codes: it is there for
// programs that write into the gap of a disk that they share with GRUB.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vprov::partition {

// Where core.img goes, in sectors of 512 bytes: `start` is a multiple of that.
struct EmbeddingArea {
    Bytes start, size;
    std::string name;  // for messages: "the gap before partition 1", "the BIOS boot partition"
    bool operator==(const EmbeddingArea&) const = default;
};

// The gap of an MBR whose first partition begins at `first_partition`: all but the first sector.
EmbeddingArea gap_before(Bytes first_partition);

// The first sector of a disk on which core.img begins at `core_start`. Kept of `present`, the 512 bytes that are there:
// BIOS parameter block, disk signature, partition table. Throws Error(disk) for what is no boot.img.
std::string boot_sector(std::string_view boot_img, std::string_view present, Bytes core_start);

// core.img as it stands on the disk, filled up to whole sectors: its first sector says where the others are. Throws
// Error(disk) for what is no core.img, and for an area that is too small, saying by how much.
std::string placed_core(std::string_view core_img, const EmbeddingArea& area);

}  // namespace vprov::partition
