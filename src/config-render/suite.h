// Conventions that changed between the releases of Debian and Ubuntu. Pure.
#pragma once

#include <string_view>

namespace vprov::render {

// Debian 13 (trixie) moved apt's sources to deb822, gave up /etc/timezone, and took dhcpcd for isc-dhcp-client; Ubuntu
// did the first in 24.04 (noble). True for what came before; a suite that is not known counts as new.
bool is_before_trixie(std::string_view suite);

// Whether systemd-udev-trigger.service may name subsystems that come first: udevadm trigger --prioritized-subsystem, of
// systemd 251, Debian 12 and Ubuntu 22.10.
bool has_prioritized_subsystems(std::string_view suite);

}  // namespace vprov::render
