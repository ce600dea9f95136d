// The processors of a running domain. Talks to its QEMU.
#pragma once

#include <string>
#include <vector>

#include "hypervisor/launch/domains.h"

namespace vprov::hypervisor {

// Plugs processors in or out until the guest has `count`; a restart gives it as many. Throws Error(hypervisor) "cannot
// give 'a' N processors: CAUSE": more than its maxvcpus, or the guest does not let go of one; what was plugged in or
// out before stays so.
void set_vcpus(const Domains& domains, const std::string& name, unsigned count);

struct Vcpu {
    unsigned index = 0;
    int on_cpu = 0;        // of the host, where it ran last
    char state = '-';      // r: it runs, b: it waits, p: its domain is paused
    double seconds = 0;    // of processor time
    std::string affinity;  // "0-1"
};
std::vector<Vcpu> vcpus_of(const Domains& domains, const std::string& name);

}  // namespace vprov::hypervisor
