// Copies of large files that cost as little as the file systems allow.
#pragma once

#include <sys/types.h>

#include <filesystem>

namespace vprov::os {

// A new file `to` with the content and the holes of `from`: sharing its blocks where the file system can (FICLONE),
// else written from the pages of `from` straight to the disk (O_DIRECT), else copied within the kernel
// (copy_file_range(2)), else by reading and writing. Throws Error(disk), also where `to` exists, and Error(interrupted)
// on a stop request; `to` is removed then.
void copy_file(const std::filesystem::path& from, const std::filesystem::path& to, mode_t mode);

}  // namespace vprov::os
