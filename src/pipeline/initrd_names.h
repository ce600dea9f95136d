// The names of network interfaces in an initrd that was made before there were any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config-render/guest_files.h"
#include "os/root_dir.h"

namespace vprov::pipeline {

// Files and their directories as a cpio archive ("newc", Linux's buffer-format.rst), filled up with zeros to blocks of
// 4096 bytes: what an initrd may begin with. root's, as old as `date`. "" for no files. Pure.
std::string early_archive(const std::vector<render::GuestFile>& files, std::int64_t date);

// Puts `size` bytes before the initrds in /boot, as room for such an archive; not zeros, which would become a hole of
// an image. Until they are overwritten no kernel takes the initrd. Throws Error(disk).
void reserve_room_in_initrds(const os::RootDir& tree, std::size_t size);

// Puts the .link files before the initrds in /boot, where initramfs-tools would have taken copies of them: udev names
// interfaces when it first sees them, which is in the initrd. Throws Error(disk).
void add_names_to_initrds(const os::RootDir& tree, const std::vector<render::GuestFile>& links, std::int64_t date);

}  // namespace vprov::pipeline
