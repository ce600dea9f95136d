// Writes GRUB's two parts for a BIOS into a raw image or a device, beside its partition table.
#pragma once

#include <filesystem>
#include <string_view>

#include "partition/boot/bios_embedding.h"

namespace vprov::partition {

// `disk` has its partition table. Core first, boot sector last: a disk that is written halfway starts what it started
// before, or nothing. Throws Error(disk), before anything is written for an area that is too small.
void embed_grub(const std::filesystem::path& disk, std::string_view boot_img, std::string_view core_img,
                const EmbeddingArea& area);

}  // namespace vprov::partition
