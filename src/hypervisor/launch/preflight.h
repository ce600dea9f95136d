// What can be known to be wrong with a guest before QEMU is started. Looks at files; changes nothing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

struct PreparedGuest {
    Guest guest;                        // every path absolute
    std::vector<std::string> warnings;  // what QEMU does otherwise than Xen would
};

// Relative paths are taken from `folder`; a disk that is not there but under /dev ("phy:vg0/root") is taken from /dev.
// Throws Error(hypervisor) "cannot start 'NAME': CAUSE" for a missing kernel, ramdisk or disk, and for devices QEMU has
// not.
PreparedGuest prepare_guest(Guest guest, const std::filesystem::path& folder);
}  // namespace vprov::hypervisor
