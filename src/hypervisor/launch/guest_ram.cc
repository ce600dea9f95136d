#include "hypervisor/launch/guest_ram.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace vprov::hypervisor {
namespace {

std::uint64_t inode_of(const os::Fd& fd) {
    struct stat status {};
    return ::fstat(fd.get(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

GuestRam GuestRam::make(std::uint64_t mib) {
    GuestRam ram(os::Fd(::memfd_create("guest-ram", MFD_CLOEXEC)));
    if (!ram.is_open() || ::ftruncate(ram.fd_.get(), static_cast<off_t>(mib << 20)) != 0 || !ram.take())
        throw system_error(ErrorKind::hypervisor, errno, "cannot make the guest's memory");
    return ram;
}

GuestRam GuestRam::of_other(const RamFile& file) {
    GuestRam ram(
        os::open_file(fmt::format("/proc/{}/fd/{}", file.qemu.pid, file.fd), O_RDWR, 0, ErrorKind::hypervisor));
    if (!is_alive(file.qemu) || ram.inode() != file.inode)
        throw error(ErrorKind::hypervisor, "cannot share the guest's memory: its QEMU has ended");
    return ram;
}

GuestRam GuestRam::of_adopted(const RamFile& file) noexcept {
    const auto pidfd = file.fd < 0 ? os::Fd() : open_process(file.qemu);
    GuestRam ram(os::Fd(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd.get(), file.fd, 0))));
    return ram.is_open() && ram.inode() == file.inode ? std::move(ram) : GuestRam();
}

std::uint64_t GuestRam::inode() const {
    return inode_of(fd_);
}

bool GuestRam::take() const noexcept {
    return ::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0;
}

void GuestRam::give() const noexcept {
    ::flock(fd_.get(), LOCK_UN);
}

}  // namespace vprov::hypervisor
