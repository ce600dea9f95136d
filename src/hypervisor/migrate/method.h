// How the memory of a guest gets from one QEMU to another. Pure.
#pragma once

#include <string_view>

#include "hypervisor/save/migration.h"

namespace vprov::hypervisor {

// shared:   the guest stands still for a moment, and its memory stays where it is: one host.
// precopy:  memory is sent while it runs, then again what it has changed since; it stands still for the last of it.
// postcopy: it stands still for its devices' state, and goes on at the target, which fetches memory as it is touched.
//           Until all has arrived, the guest needs both hosts.
// copy:     it stands still until all its memory is there.
enum class Method { shared, precopy, postcopy, copy };

struct MoveFacts {
    bool is_kvm = false;           // at both ends
    std::string_view qemu;         // version at the source: "7.2.22"
    bool shares_memory = false;    // the target can open the source's memory
    bool has_userfaultfd = false;  // the target's QEMU may handle page faults
    bool live = false;             // asked for
};

// TCG before QEMU 9.0 forgets pages that a guest writes while its memory is sent: a busy guest is corrupt afterwards,
// and QEMU does not notice (measured with 7.2.22). So it is sent only while it stands still.
Method choose_method(const MoveFacts& facts);

StateStream stream_of(Method method);

std::string_view name_of(Method method);  // "shared"
Method method_of(std::string_view name);  // throws Error(hypervisor) for another name

}  // namespace vprov::hypervisor
