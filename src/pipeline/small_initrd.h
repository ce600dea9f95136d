// The initrd of guests that boot fast: vprov's own init, without udev and shells, and the few modules that reach root.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "os/root_dir.h"
#include "partition/layout/layout.h"

namespace vprov::pipeline {

// For amd64, as src/guest-init is compiled; "" where this program was not.
std::string_view guest_init();

// As a cpio archive, not packed, for the kernel `version` of the tree:
//   /init           guest_init()
//   /modules        "PATTERN FILE...": which modules a device needs, and "- FILE..." for root's file system
//   /modules-later  likewise, of controllers that are tried when nothing else has root
//   /lib/*.ko
// All as old as `date`. Throws Error(disk).
std::string small_initrd(const os::RootDir& root, const std::string& version, partition::Filesystem filesystem,
                         std::int64_t date);

}  // namespace vprov::pipeline
