#include "hypervisor/launch/template_memory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {
namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

[[noreturn]] void fail(const std::filesystem::path& file, int why) {
    throw system_error(ErrorKind::hypervisor, why, fmt::format("cannot read the template's memory {}", quote(file.native())));
}

void copy_range(int from, int to, off_t begin, off_t end, const std::filesystem::path& file) {
    constexpr std::size_t kPortion = 1 << 20;
    std::vector<char> buffer(kPortion);
    for (off_t at = begin; at < end;) {
        const auto wanted = std::min<std::size_t>(kPortion, static_cast<std::size_t>(end - at));
        const auto got = ::pread(from, buffer.data(), wanted, at);
        if (got <= 0)
            fail(file, got < 0 ? errno : EIO);
        const auto put = ::pwrite(to, buffer.data(), static_cast<std::size_t>(got), at);
        if (put <= 0)
            throw system_error(ErrorKind::hypervisor, put < 0 ? errno : ENOMEM, "cannot hold the template's memory");
        at += put;
    }
}

// Holes are zeros, and stay holes.
os::Fd sealed_copy(const os::Fd& from, off_t size, const std::filesystem::path& file) {
    os::Fd to(::memfd_create("template-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!to.is_open() || ::ftruncate(to.get(), size) != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot hold the template's memory");
    for (off_t at = 0; at < size;) {
        const auto data = ::lseek(from.get(), at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break;
        const auto hole = data < 0 ? -1 : ::lseek(from.get(), data, SEEK_HOLE);
        if (hole < 0)
            fail(file, errno);
        copy_range(from.get(), to.get(), data, hole, file);
        at = hole;
    }
    if (::fcntl(to.get(), F_ADD_SEALS, kSeals) != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot seal the template's memory");
    return to;
}

}  // namespace

TemplateMemory::TemplateMemory(const std::filesystem::path& file, const StateDir& state) {
    lock_ = os::open_file(file, O_RDONLY, 0, ErrorKind::hypervisor);
    struct stat status {};
    if (::flock(lock_.get(), LOCK_EX) != 0 || ::fstat(lock_.get(), &status) != 0)
        fail(file, errno);
    content_ = fmt::format("{}:{}:{}:{}.{:09}", status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
                           status.st_mtim.tv_nsec);
    if (!find(state))
        fd_ = sealed_copy(lock_, status.st_size, file);
}

bool TemplateMemory::find(const StateDir& state) {
    for (const auto& name : state.names()) {
        const auto record = state.read(name);
        if (!record || record->template_memory.content != content_)
            continue;
        try {
            auto fd = GuestRam::of_other(record->template_memory.file).release();
            if (::fcntl(fd.get(), F_GET_SEALS) == kSeals) {
                fd_ = std::move(fd);
                return true;
            }
        } catch (const Error&) {
            continue;  // it has ended, or is not to be looked into: there may be another
        }
    }
    return false;
}

SharedFile TemplateMemory::in(const ProcessIdentity& qemu) const {
    struct stat status {};
    if (!fd_.is_open() || ::fstat(fd_.get(), &status) != 0)
        return {};
    return {{qemu, fd_.get(), status.st_ino}, content_};
}

}  // namespace vprov::hypervisor
