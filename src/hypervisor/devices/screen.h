// The screen of a running domain. Talks to its QEMU.
#pragma once

#include <filesystem>
#include <string>

#include "hypervisor/launch/domains.h"

namespace vprov::hypervisor {

// What its screen shows now, as a PNG file that appears whole. Throws Error(hypervisor) "cannot take a snapshot of the
// screen of 'a': CAUSE".
void snapshot_screen(const Domains& domains, const std::string& name, const std::filesystem::path& file);

// Where its VNC listens: "127.0.0.1:5901". Throws Error(hypervisor) when it has none.
struct VncAddress {
    std::string host, port;
    bool has_password = false;
};
VncAddress vnc_address(const Domains& domains, const std::string& name);

}  // namespace vprov::hypervisor
