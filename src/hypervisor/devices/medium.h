// The content of a disk in a running QEMU: a block node over descriptors that were passed to it.
#pragma once

#include <optional>
#include <string>

#include "hypervisor/devices/change.h"

namespace vprov::hypervisor {

// Opens disk.target, and all that it is based on, and gives it to QEMU under a node name that is not taken: the result.
// Throws Error(hypervisor), and nothing has changed.
std::string put_in(Change& change, const GuestDisk& disk);

// The node that the drive `vdev` holds; nullopt: nothing.
std::optional<std::string> medium_of(Change& change, const std::string& vdev);

// The node and its descriptors, once no device uses it.
void take_out(Change& change, const std::string& node);

// Asks the guest, and does not after 3 s.
void open_tray(Change& change, const std::string& vdev);

}  // namespace vprov::hypervisor
