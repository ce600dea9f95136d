// The process beside each QEMU: it starts it, obeys on_poweroff, on_reboot and on_crash, and serves console and
// requests.
#pragma once

#include <filesystem>
#include <string>

namespace vprov::hypervisor {

// The descriptor on which the supervisor finds its LaunchRequest and gives its LaunchAnswer.
inline constexpr int kLaunchChannel = 3;

// The whole life of a supervisor process: `vprov supervise STATE_DIR NAME`, started by create() and by nobody else.
// Returns when the domain is gone, or could not be started (which the channel tells). Installs handlers of the stop
// signals: the first asks the guest to power off, and destroys it if it has not after a minute.
void run_supervisor(const std::filesystem::path& state_root, const std::string& name);

}  // namespace vprov::hypervisor
