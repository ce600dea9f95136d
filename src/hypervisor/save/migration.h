// QEMU's own migration, to and from an open file or socket: what saving and moving have in common. What these throw is
// a cause, to follow "cannot VERB NOUN: ". "QEMU QMP Reference Manual", Migration.
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

// whole:     memory and devices.
// live:      the same of a guest that runs meanwhile and stands still for the last of it.
// devices:   these alone; the memory is a file that the other QEMU has as its own.
// following: devices, and memory as it is touched there (postcopy): through a socket.
enum class StateStream { whole, live, devices, following };
// late_target: takes the disks only when it is told to `cont`, for until then the source may go on with them. One that
// stays paused must not be such: QEMU 7.2 dies of sending on what has never had its disks.
enum class StreamEnd { source, target, late_target };

// QEMU keeps what it was told last, so this comes before every stream and every snapshot. Throws where this QEMU or the
// kernel does not have what it needs.
void choose_stream(Monitor& monitor, StateStream stream, StreamEnd end);

// It stands still afterwards, and can be sent.
void stop_guest(Monitor& monitor);

// It goes on, whatever has become of the stream.
void resume_guest(Monitor& monitor);

// Begin, and return at once. The file is written or read from its offset on, as fast as it goes. A source whose guest
// stands still lets go of the disks when it is done, until it is told to `cont`.
void begin_sending(Monitor& monitor, const os::Fd& file, StateStream stream);
void begin_loading(Monitor& monitor, const os::Fd& file);

// Until all is sent; until the guest could run. `meanwhile` is called every few milliseconds, `stopped` when a live
// guest has been stopped and its last is not sent yet; both may throw.
void wait_until_sent(Monitor& monitor, const std::function<void()>& meanwhile = {},
                     const std::function<void()>& stopped = {});
void wait_until_loaded(Monitor& monitor, StateStream stream, const std::function<void()>& meanwhile = {});

// The whole state of a guest that stands still, into a file; out of it, into a QEMU that was started to wait for it.
void migrate_to(Monitor& monitor, const os::Fd& file, const std::function<void()>& meanwhile = {});
void migrate_from(Monitor& monitor, const os::Fd& file);

}  // namespace vprov::hypervisor
