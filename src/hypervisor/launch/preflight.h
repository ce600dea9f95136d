// What can be known to be wrong with a guest before QEMU is started. Looks at files; changes nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

struct PreparedGuest {
    Guest guest;                        // every path absolute
    std::vector<std::string> warnings;  // what QEMU does otherwise than Xen would
};

// Relative paths are taken from `folder`; a disk that is not there but under /dev ("phy:vg0/root") is taken from /dev.
// Throws Error(hypervisor) "cannot start 'NAME': CAUSE" for more memory than is free, a missing kernel, ramdisk or
// disk, and for devices QEMU has not.
PreparedGuest prepare_guest(Guest guest, const std::filesystem::path& folder);

// In bytes what a new process may use, swap included, by /proc/meminfo (proc(5)). nullopt: it does not say.
std::optional<std::uint64_t> free_memory(std::string_view meminfo);

}  // namespace vprov::hypervisor
