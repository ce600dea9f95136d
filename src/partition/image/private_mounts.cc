#include "partition/image/private_mounts.h"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <exception>
#include <thread>

#include "base/error.h"
#include "base/text.h"

namespace vprov::partition {
namespace fs = std::filesystem;
namespace {

void enter_namespace() {
    // a mount namespace is a thread's own, once it shares neither root nor working directory
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot make a private mount namespace");
}

}  // namespace

void in_private_mounts(const std::function<void()>& work) {
    std::exception_ptr failure;
    std::thread([&] {
        try {
            enter_namespace();
            work();
        } catch (...) {
            failure = std::current_exception();
        }
    }).join();
    if (failure)
        std::rethrow_exception(failure);
}

void bind_mount(const fs::path& from, const fs::path& over) {
    if (::mount(from.c_str(), over.c_str(), nullptr, MS_BIND, nullptr) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot mount over " + quote(over.native()));
}

void mount_filesystem(const fs::path& device, const fs::path& at, const char* type) {
    if (::mount(device.c_str(), at.c_str(), type, MS_NOSUID | MS_NODEV | MS_NOATIME, nullptr) != 0)
        throw system_error(ErrorKind::disk, errno, fmt::format("cannot mount a new {}", type));
}

void unmount(const fs::path& at) {
    if (::umount2(at.c_str(), UMOUNT_NOFOLLOW) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot unmount " + quote(at.native()));
}

}  // namespace vprov::partition
