// Partition tables written with libparted.
#pragma once

#include <filesystem>

#include "partition/layout/layout.h"

namespace vprov::partition {

// Writes the table of `disk`, which is placed, to an image or block device that has disk.size bytes: types, names,
// flags, identifiers, both copies of a GPT, an MBR's extended and logical partitions. The same plan gives the same
// bytes. What is between the tables is not touched, and the boot code of an MBR is kept. The kernel is not told.
// Throws Error(disk). Not for several threads at once: libparted has one handler of errors.
void write_table(const DiskPlan& disk, const std::filesystem::path& path);

}  // namespace vprov::partition
