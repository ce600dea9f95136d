// Tap devices on a host bridge. Touches the network of this namespace.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"
#include "os/fd.h"

namespace vprov::hypervisor {

// One interface of a guest on the host's side.
struct HostInterface {
    os::Fd tap;           // not open: user-mode networking
    std::string warning;  // why, when it is not on its bridge
};

// A tap named `name`, up and on the interface's bridge (xl's default, xenbr0, when it names none); it vanishes with the
// last descriptor on it. Without such a bridge, or without the right to make one, user-mode networking and a warning.
// An interface with forwards has user-mode networking in any case. One without a bridge on a host without xenbr0 is not
// warned about.
HostInterface connect_interface(const GuestInterface& vif, const std::string& name);

// A tap of that name, on the bridge and up. Throws Error(hypervisor): the step that was refused.
os::Fd make_tap(const std::string& name, const std::string& bridge);

// Makes a bridge, and it is up. Throws Error(hypervisor): the step that was refused.
void make_bridge(const std::string& name);

bool bridge_exists(std::string_view bridge);

}  // namespace vprov::hypervisor
