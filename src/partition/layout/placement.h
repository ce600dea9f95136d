// Where partitions lie. Pure.
#pragma once

#include <optional>

#include "partition/layout/layout.h"

namespace vprov::partition {

inline constexpr Bytes kAlignment = 1_MiB;  // of every partition, as all partitioners since 2010

// The least and the most that a file system takes: mke2fs with a journal, mkfs.xfs 6.1, mkfs.btrfs 6.2, mkfs.fat.
Bytes smallest(Filesystem filesystem);
std::size_t longest_label(Filesystem filesystem);

// The space for partitions: from the first to behind the last usable byte. All of a disk without a table.
struct Usable {
    Bytes first, end;
    bool operator==(const Usable&) const = default;
};
Usable usable(const DiskPlan& disk);

// The area of an MBR's extended partition; nullopt when the disk, which is placed, has no logical ones.
struct Area {
    Bytes start, size;
    bool operator==(const Area&) const = default;
};
std::optional<Area> extended_area(const DiskPlan& disk);
unsigned extended_number(const DiskPlan& disk);  // 1 to 4; 0 for none

// Every size is known, but for `rest` and the disk's own where it is as large as its volumes.
bool is_settled(const DiskPlan& disk);

// Fills in numbers, places, the size of the rest and the disk's size. In an MBR with more than four partitions, none of
// which is said to be logical, all from the fourth on become so. Throws Error(disk) for what cannot be: the first
// partition that does not fit, with the missing bytes; a fifth primary one; logical ones that are not neighbours; more
// than 128 in a GPT; what an MBR of 32-bit sector numbers does not reach. A disk that is not settled gets numbers only.
void place(DiskPlan& disk);

}  // namespace vprov::partition
