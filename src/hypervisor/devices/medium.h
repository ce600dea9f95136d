// The content of a disk in a running QEMU: a block node over a descriptor that was passed to it.
#pragma once

#include <optional>
#include <string>

#include "hypervisor/devices/change.h"

namespace vprov::hypervisor {

struct Medium {
    std::string node;        // "disk2"
    std::optional<int> set;  // the descriptor's, of add-fd; none: QEMU has opened the file by its path
};

// Opens disk.target and gives it to QEMU under a node name that is not taken. Throws Error(hypervisor), and nothing has
// changed.
Medium put_in(Change& change, const GuestDisk& disk);

// What the drive `vdev` holds; nullopt: nothing.
std::optional<Medium> medium_of(Change& change, const std::string& vdev);

// The node and its descriptor, once no device uses it.
void take_out(Change& change, const Medium& medium);

// Asks the guest, and does not after 3 s.
void open_tray(Change& change, const std::string& vdev);

}  // namespace vprov::hypervisor
