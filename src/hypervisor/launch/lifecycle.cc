#include "hypervisor/launch/lifecycle.h"

namespace vprov::hypervisor {
namespace {

NextStep step_of(LifecycleAction action) {
    switch (action) {
        case LifecycleAction::destroy:
        case LifecycleAction::coredump_destroy:
            return NextStep::finish;
        case LifecycleAction::restart:
        case LifecycleAction::rename_restart:
        case LifecycleAction::coredump_restart:
            return NextStep::restart;
        case LifecycleAction::preserve:
            return NextStep::keep;
    }
    return NextStep::finish;
}

NextStep step_after(const Guest& guest, RunEnd end) {
    switch (end) {
        case RunEnd::poweroff:
            return step_of(guest.on_poweroff);
        case RunEnd::reboot:
            return step_of(guest.on_reboot);
        case RunEnd::crash:
            return step_of(guest.on_crash);
        case RunEnd::destroyed:
            break;
    }
    return NextStep::finish;
}

}  // namespace

RunEnd run_end(std::string_view shutdown_reason) {
    if (shutdown_reason == "guest-reset" || shutdown_reason == "subsystem-reset")
        return RunEnd::reboot;
    if (shutdown_reason == "guest-panic" || shutdown_reason == "host-error")
        return RunEnd::crash;
    if (shutdown_reason == "guest-shutdown")
        return RunEnd::poweroff;
    return RunEnd::destroyed;  // host-qmp-quit, host-signal, host-ui
}

Lifecycle::Decision Lifecycle::after(RunEnd end, Clock::time_point now) {
    constexpr std::size_t kMostRestarts = 5;
    constexpr auto kWithin = std::chrono::seconds(60);
    const NextStep step = step_after(guest_, end);
    if (step != NextStep::restart)
        return {step, ""};
    while (!restarts_.empty() && now - restarts_.front() > kWithin) restarts_.pop_front();
    if (restarts_.size() >= kMostRestarts)
        return {NextStep::finish, "restarted 5 times within 60 s: giving up"};
    restarts_.push_back(now);
    return {NextStep::restart, ""};
}

std::string_view described(RunEnd end) {
    switch (end) {
        case RunEnd::poweroff:
            return "powered off";
        case RunEnd::reboot:
            return "rebooted";
        case RunEnd::crash:
            return "crashed";
        case RunEnd::destroyed:
            return "destroyed";
    }
    return "?";
}

}  // namespace vprov::hypervisor
