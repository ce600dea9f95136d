// The network cards of a running domain. Talks to its QEMU, and makes taps.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/launch/domains.h"

namespace vprov::hypervisor {

// The warnings: why it is not on its bridge. The MAC address is derived when none is given. A restart keeps the card.
// Throws Error(hypervisor) "cannot attach a network card to 'a': CAUSE", and nothing has changed.
std::vector<std::string> attach_interface(const Domains& domains, const std::string& name, GuestInterface interface);

// The same as a part of an operation, borrowed.
std::vector<std::string> attach_interface(const Domains& domains, const std::string& name, GuestInterface interface,
                                          Operation& operation);

// By number or MAC address. Returns when the guest has let go of it: its system must be running. Throws
// Error(hypervisor) "cannot detach the network card 'x' from 'a': CAUSE".
void detach_interface(const Domains& domains, const std::string& name, std::string_view devid_or_mac);
void detach_interface(const Domains& domains, const std::string& name, std::string_view devid_or_mac,
                      Operation& operation);

}  // namespace vprov::hypervisor
