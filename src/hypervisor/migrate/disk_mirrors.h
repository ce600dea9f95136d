// The source's end of copying disks along: QEMU writes to the copies as well, by NBD, while the guest runs. "QEMU QMP
// Reference Manual", Block devices: blockdev-mirror.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"
#include "hypervisor/launch/monitor.h"
#include "hypervisor/migrate/talk.h"
#include "os/fd.h"

namespace vprov::hypervisor {

// What has to be copied for the guest to run and to boot where none of its files are: its disks and media, kernel and
// ramdisk. Throws Error(hypervisor) for what cannot be.
std::vector<FileCopy> copies_of(const Guest& guest, Monitor& monitor);

class DiskMirrors {
  public:
    // Borrows the monitor. What an earlier one has left in QEMU, having been killed, is removed.
    explicit DiskMirrors(Monitor& monitor);
    ~DiskMirrors();  // those that are not finished are given up; the guest does not notice
    DiskMirrors(const DiskMirrors&) = delete;
    DiskMirrors& operator=(const DiskMirrors&) = delete;

    // Begins to copy the disk `vdev` to where `nbd` leads, the export `name`.
    void start(std::string_view vdev, const os::Fd& nbd, const std::string& name);
    // Until so little is left that a guest need not notice it; `meanwhile` may throw. Throws Error(hypervisor) with
    // QEMU's reason.
    void wait_until_near(const std::function<void()>& meanwhile);
    // The guest stands still: the copies are the same afterwards.
    void finish(const std::function<void()>& meanwhile);

  private:
    std::size_t left();
    void give_up() noexcept;

    Monitor& monitor_;
    std::vector<std::string> jobs_;  // their names are their nodes' as well
};

}  // namespace vprov::hypervisor
