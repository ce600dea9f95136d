// A tree as a squashfs image, made by mksquashfs(1) of a tar stream, so that it needs no root and no temporary copy.
#pragma once

#include <filesystem>

#include "bootstrap/pack/tar_writer.h"
#include "os/command.h"

namespace vprov::pack {

// mksquashfs as a command that reads a tar on standard input. `epoch` (seconds) becomes the time of creation. Pure.
os::Command mksquashfs(const std::filesystem::path& image, std::int64_t epoch);

// `image` must not exist. The compression of `options` is not used. Throws Error(disk), naming the package
// squashfs-tools where mksquashfs is missing.
void write_squashfs(const std::filesystem::path& tree, const std::filesystem::path& image, const TarOptions& options,
                    os::CommandRunner& runner);

}  // namespace vprov::pack
