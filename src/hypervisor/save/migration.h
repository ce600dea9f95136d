// QEMU's own migration, to and from an open file. What they throw is a cause, to follow "cannot VERB NOUN: ".
#pragma once

#include <functional>
#include <string>

#include "hypervisor/launch/monitor.h"
#include "os/fd.h"

namespace vprov::hypervisor {

struct QemuVersion {
    std::string version;  // "7.2.22"
    std::string machine;  // "pc-i440fx-7.2", also for the alias "pc"
};
QemuVersion query_qemu(Monitor& monitor);

// Writes the state of a guest, which must stand still, to `file` from its offset on, as fast as it goes; `meanwhile` is
// called every few milliseconds. Afterwards QEMU has let go of the disks until it is told to `cont`.
void migrate_to(Monitor& monitor, const os::Fd& file, const std::function<void()>& meanwhile = {});

// Reads it from the file's offset on, into a QEMU that was started to wait for it.
void migrate_from(Monitor& monitor, const os::Fd& file);

}  // namespace vprov::hypervisor
