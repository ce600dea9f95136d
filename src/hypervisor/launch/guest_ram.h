// A guest's memory as a file without a name, so that a second QEMU of this host can go on with the same pages.
//
// The lock on the file (flock(2)) is the right to run the guest: whoever starts or resumes it takes it before, and the
// kernel gives it to one at a time. It is its QEMU's as much as its supervisor's, so it outlives a supervisor, and
// falls with the last of them.
#pragma once

#include <cstdint>
#include <string>

#include "hypervisor/launch/process_identity.h"
#include "os/fd.h"

namespace vprov::hypervisor {

// Where a running QEMU has it open.
struct RamFile {
    ProcessIdentity qemu;
    int fd = -1;              // its number there; -1: its memory is no file
    std::uint64_t inode = 0;  // on the kernel's own tmpfs: unique while the host runs
    bool operator==(const RamFile&) const = default;
};

// The same of memory that several share: `content` tells what it is.
struct SharedFile {
    RamFile file;
    std::string content;
    bool operator==(const SharedFile&) const = default;
};

class GuestRam {
  public:
    GuestRam() = default;
    // New, zeroes, and locked. Takes no memory before it is written. Throws Error(hypervisor).
    static GuestRam make(std::uint64_t mib);
    // Another QEMU's, not locked. Throws Error(hypervisor) when it is not there any more or may not be opened.
    static GuestRam of_other(const RamFile& file);
    // The own QEMU's, with the lock as it is; not open where the kernel does not allow it (ptrace(2), yama).
    static GuestRam of_adopted(const RamFile& file) noexcept;

    bool is_open() const { return fd_.is_open(); }
    const os::Fd& fd() const { return fd_; }
    os::Fd release() { return std::move(fd_); }
    std::uint64_t inode() const;
    bool take() const noexcept;  // false: another has the right to run the guest
    void give() const noexcept;

  private:
    explicit GuestRam(os::Fd fd) : fd_(std::move(fd)) {}
    os::Fd fd_;
};

}  // namespace vprov::hypervisor
