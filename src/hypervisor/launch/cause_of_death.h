// Why a QEMU has ended, from what it said. Reads the state directory, for whose disk it may be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/launch/state_dir.h"

namespace vprov::hypervisor {

// "its disk '/srv/a.img' is in use by the domain 'b'"; "QEMU said:\n..." with the last lines of `said`. `files` is what
// the QEMU of the domain `name` has been given open.
std::string cause_of_death(std::string_view name, const std::vector<OpenFile>& files, std::string_view said,
                           const StateDir& state);

}  // namespace vprov::hypervisor
