// Moving a file system that was made in a file of its own into an image.
#pragma once

#include <filesystem>

#include "base/bytes.h"

namespace vprov::partition {

// Copies the data of `from` (not its holes) to `offset` of the file `to`, whose bytes there are zeros: shared blocks
// where the file system can (FICLONERANGE), else copied by the kernel. Throws Error(disk).
void transplant(const std::filesystem::path& from, const std::filesystem::path& to, Bytes offset);

}  // namespace vprov::partition
