// A guest's screen, and its pointer there, as QEMU options. Pure.
#pragma once

#include <string>
#include <vector>

#include "hypervisor/guest/qemu_argv.h"

namespace vprov::hypervisor {

// VNC listens on a loopback address, whatever the guest says.
void append_screen(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv);

}  // namespace vprov::hypervisor
