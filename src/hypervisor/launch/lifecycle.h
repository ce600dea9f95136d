// What follows when a guest's run has ended. Pure.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <string_view>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

enum class RunEnd { poweroff, reboot, crash, destroyed };

// The run's end by the reason in QEMU's SHUTDOWN event ("guest-shutdown", "guest-reset", "guest-panic", ...).
RunEnd run_end(std::string_view shutdown_reason);

enum class NextStep { finish, restart, keep };

// Decides by on_poweroff, on_reboot and on_crash, and remembers the restarts: after 5 within 60 s the next is refused,
// for a guest that ends as soon as it begins would do so for ever. No core is written and nothing is renamed:
// coredump-restart and rename-restart restart, coredump-destroy finishes.
class Lifecycle {
  public:
    using Clock = std::chrono::steady_clock;
    explicit Lifecycle(const Guest& guest) : guest_(guest) {}

    struct Decision {
        NextStep step = NextStep::finish;
        std::string remark;  // for the console: "restarted 5 times within 60 s: giving up"; "" mostly
    };
    Decision after(RunEnd end, Clock::time_point now);

  private:
    const Guest& guest_;
    std::deque<Clock::time_point> restarts_;
};

// "powered off", "rebooted", ...
std::string_view described(RunEnd end);

}  // namespace vprov::hypervisor
