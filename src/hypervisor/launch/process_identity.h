// Processes named so that a reused pid is never taken for the one that was meant.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "os/fd.h"

namespace vprov::hypervisor {

struct ProcessIdentity {
    pid_t pid = 0;                  // 0: no process
    std::uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat
    std::string boot_id;            // pids and ticks begin anew with every boot
    bool operator==(const ProcessIdentity&) const = default;
};

ProcessIdentity identify_process(pid_t pid);  // start_ticks 0 when there is none

// A pidfd on exactly that process; not open when it has ended (a zombie has ended).
os::Fd open_process(const ProcessIdentity& identity);
bool is_alive(const ProcessIdentity& identity);

// True when the process behind `pidfd` has ended before the time was up.
bool wait_for_end(const os::Fd& pidfd, std::chrono::milliseconds most);
void send_signal(const os::Fd& pidfd, int signal) noexcept;

// What a QEMU's vCPU threads (those named "CPU n/...") have used and whether one of them is at work.
struct VcpuUsage {
    double seconds = 0;
    bool busy = false;
};
VcpuUsage vcpu_usage(pid_t qemu);

}  // namespace vprov::hypervisor
