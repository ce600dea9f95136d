#include "partition/image/loop_device.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace vprov::partition {
namespace {

constexpr const char* kControl = "/dev/loop-control";
constexpr int kAttempts = 32;  // another process may take the one that was free

}  // namespace

LoopDevice::LoopDevice(const Place& place, Bytes size, Access access) {
    const int mode = access == Access::write ? O_RDWR : O_RDONLY;
    const auto control = os::open_file(kControl, O_RDWR);
    const auto file = os::open_file(place.file, mode);
    loop_config config{};
    config.fd = static_cast<__u32>(file.get());
    config.info.lo_offset = place.offset.value;
    config.info.lo_sizelimit = size.value;
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (access == Access::read)
        config.info.lo_flags |= LO_FLAGS_READ_ONLY;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0)
            break;
        path_ = fmt::format("/dev/loop{}", number);
        fd_ = os::open_file(path_, mode);
        if (::ioctl(fd_.get(), LOOP_CONFIGURE, &config) == 0)  // Linux 5.8
            return;
        if (errno != EBUSY)
            break;
    }
    throw system_error(ErrorKind::disk, errno, "cannot get a loop device for " + place.title);
}

std::string what_forbids_loop_devices() {
    const int fd = ::open(kControl, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return fmt::format("{}: {}", kControl, system_error(ErrorKind::disk, errno, "it cannot be opened").message());
    ::close(fd);
    return {};
}

}  // namespace vprov::partition
