// Whether /dev/kvm runs guests at a guest's speed. Touches /dev/kvm.
#pragma once

#include <string>

#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/launch/domain_record.h"

namespace vprov::hypervisor {

struct KvmVerdict {
    bool usable = false;
    std::string reason;  // why not: "there is no /dev/kvm", "KVM was tried: too slow"
};

// Runs a loop of 20,000 rounds in a tiny 64-bit guest, twice, in a child process with a deadline. A /dev/kvm that
// emulates kernel code (nested without hardware help) passes every functional test and takes 20 ms for what takes real
// KVM microseconds; a guest kernel would run at a few million instructions per second. Usable below 5 ms.
KvmVerdict probe_kvm();

struct EngineVerdict {
    Engine engine = Engine::tcg;
    std::string description;  // "KVM", "TCG (KVM was tried: too slow)", "TCG (asked for)"
};

// Throws Error(hypervisor) when KVM is asked for and not usable.
EngineVerdict choose_engine(EngineChoice choice);

}  // namespace vprov::hypervisor
