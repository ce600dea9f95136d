// A whole disk: its file systems, its table, its format.
#pragma once

#include <filesystem>
#include <vector>

#include "os/command.h"
#include "partition/image/image.h"
#include "partition/layout/layout.h"

namespace vprov::partition {

// Writes `disk`, which is placed, to the new sparse file `raw`: every volume with its part (one for each, in order; one
// without a top is empty), then the table. Nothing is written twice, but for what the table shares with a file system
// that only the kernel or its own program fills. Throws Error(disk); a failed image is removed.
void write_raw_image(const DiskPlan& disk, const std::vector<TreePart>& parts, const std::filesystem::path& raw,
                     os::CommandRunner& runner);

// The same to a block device, on which nothing is that shall stay (see device.h): the table last, so that a disk that
// is half written has none. `scratch` is a directory for what is needed meanwhile.
void write_device(const DiskPlan& disk, const std::vector<TreePart>& parts, const std::filesystem::path& scratch,
                  os::CommandRunner& runner);

// The image in disk.format: `raw` itself renamed, or converted by qemu-img and then removed.
void finish_image(const DiskPlan& disk, const std::filesystem::path& raw, const std::filesystem::path& image,
                  os::CommandRunner& runner);

// Fills in the sizes that follow from content, and the places that follow from them. `parts` by volume, as above.
void settle(DiskPlan& disk, const std::vector<TreePart>& parts);

}  // namespace vprov::partition
