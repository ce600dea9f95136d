// Why a QEMU has ended, from what it said. Reads the state directory, for whose disk it may be.
#pragma once

#include <string>
#include <string_view>

#include "hypervisor/guest/guest.h"
#include "hypervisor/launch/state_dir.h"

namespace vprov::hypervisor {

// "its disk '/srv/a.img' is in use by the domain 'b'"; "QEMU said:\n..." with the last lines of `said`.
std::string cause_of_death(const Guest& guest, std::string_view said, const StateDir& state);

}  // namespace vprov::hypervisor
