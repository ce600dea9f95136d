// The guest's side of [system] boot = "fast". Pure.
#pragma once

#include <vector>

#include "config-render/guest_files.h"

namespace vprov::render {

// Masks of units, a file of modprobe.d(5), and fewer devices for udev to look at when the system starts: all in /etc,
// where removing it undoes it. None for other guests, nor where there is no systemd.
std::vector<GuestFile> fast_boot_files(const plan::Plan& plan, const PackageNames& packages);

}  // namespace vprov::render
