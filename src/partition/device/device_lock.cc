#include "partition/device/device_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "os/interrupt.h"

namespace vprov::partition {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::seconds kPatience{5};  // udev's own look takes milliseconds

// The disk that a partition is of; "" for a whole disk.
fs::path disk_of(const fs::path& device) {
    struct stat status {};
    if (::stat(device.c_str(), &status) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot use " + quote(device.native()));
    const fs::path folder =
        fmt::format("/sys/dev/block/{}:{}", gnu_dev_major(status.st_rdev), gnu_dev_minor(status.st_rdev));
    std::error_code none;
    if (!fs::exists(folder / "partition", none))
        return {};
    const auto real = fs::canonical(folder, none);
    return none ? fs::path() : fs::path("/dev") / real.parent_path().filename();
}

os::Fd lock(const fs::path& node, int operation, const fs::path& device) {
    auto fd = os::open_file(node, O_RDONLY);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (::flock(fd.get(), operation | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            throw system_error(ErrorKind::disk, errno, "cannot lock " + quote(node.native()));
        if (std::chrono::steady_clock::now() > deadline)
            throw error(ErrorKind::disk, "cannot write to {}: another build is writing to it", quote(device.native()));
        os::check_stop();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return fd;
}

}  // namespace

DeviceLock::DeviceLock(const fs::path& device) {
    const auto disk = disk_of(device);
    if (disk.empty()) {
        disk_ = lock(device, LOCK_EX, device);
        return;
    }
    disk_ = lock(disk, LOCK_SH, device);
    partition_ = lock(device, LOCK_EX, device);
}

bool DeviceLock::is_held(const fs::path& device) {
    const os::Fd fd(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
    return fd.is_open() && ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace vprov::partition
