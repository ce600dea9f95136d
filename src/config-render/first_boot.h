// What a template makes of itself when it boots for the first time: the SSH host keys, the names of its network
// interfaces and, where somebody tells it, its own. systemd makes the machine-id by itself (machine-id(5)).
#pragma once

#include <vector>

#include "config-render/guest_files.h"

namespace vprov::render {

// A service, its script, what enables it, and a file that says that it is due; and an empty /etc/hostname, unless the
// recipe names the host. Pure.
std::vector<GuestFile> first_boot_files(const plan::Plan& plan);

// Removes what scripts made for this one machine: SSH host keys. Throws Error(disk).
void remove_host_keys(const os::RootDir& root);

// Removes what would give every copy the same random numbers, wherever it came from. Throws Error(disk).
void remove_random_seeds(const os::RootDir& root);

}  // namespace vprov::render
