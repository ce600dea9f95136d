// Partition tables written with libparted.
#pragma once

#include <filesystem>

#include "partition/image/image_bytes.h"
#include "partition/layout/layout.h"

namespace vprov::partition {

// Writes the table of `disk`, which is placed, to an image or block device that has disk.size bytes: types, names,
// flags, identifiers, both copies of a GPT, an MBR's extended and logical partitions. The same plan gives the same
// bytes. What is between the tables is not touched, and the boot code of an MBR is kept. The kernel is not told.
// Throws Error(disk).
void write_table(const DiskPlan& disk, const std::filesystem::path& path);

// Gives the table of `disk` that is on `image` the plan's identifiers and attributes: GUIDs in both copies of a GPT, an
// MBR's signature. For several threads at once. Throws Error(disk).
void set_table_identity(const DiskPlan& disk, ImageBytes& image);

}  // namespace vprov::partition
