// Ports of this host that a guest is to be reached by. Touches them.
#pragma once

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

// That QEMU will be able to listen on every one of them, which it would complain about in its own words only. Throws
// Error(hypervisor) "cannot start 'NAME': its port ...". is_root: QEMU will be, and may listen on any port.
void check_port_forwards(const Guest& guest, bool is_root);

}  // namespace vprov::hypervisor
