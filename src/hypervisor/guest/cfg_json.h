// A configuration for programs to read.
#pragma once

#include <string>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

// An object of the keys of xl.cfg(5) with what write_xl_cfg() gives them: strings, which numbers are too, and
// lists of them. The password
// for VNC is left out: it would be in the log of whatever asks.
std::string guest_json(const Guest& guest);

}  // namespace vprov::hypervisor
