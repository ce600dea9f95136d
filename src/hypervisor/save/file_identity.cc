#include "hypervisor/save/file_identity.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/open_files.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;

std::uint64_t device_size(const fs::path& path) {
    const auto device = os::open_file(path, O_RDONLY, 0, ErrorKind::hypervisor);
    std::uint64_t size = 0;
    if (::ioctl(device.get(), BLKGETSIZE64, &size) != 0)
        throw system_error(ErrorKind::hypervisor, errno, fmt::format("cannot measure {}", quote(path.native())));
    return size;
}

std::string moment(std::int64_t nanoseconds) {
    const std::time_t seconds = nanoseconds / kNanoseconds;
    std::tm broken{};
    ::localtime_r(&seconds, &broken);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &broken)};
}

}  // namespace

FileIdentity identify_file(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        throw system_error(ErrorKind::hypervisor, errno, fmt::format("cannot find the disk {}", quote(path.native())));
    if (S_ISBLK(status.st_mode))
        return {path.native(), device_size(path), 0, 0};
    return {path.native(), static_cast<std::uint64_t>(status.st_size),
            status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec, status.st_ino};
}

std::vector<FileIdentity> identify_disks(const Guest& guest) {
    std::vector<FileIdentity> files;
    for (const auto& disk : guest.disks)
        if (!disk.target.empty())
            for (const auto& image : open_images(disk.target, disk.format, false))
                files.push_back(identify_file(image.path));
    return files;
}

std::string change_since(const FileIdentity& then) {
    if (!fs::exists(then.path))
        return "it is not there any more";
    const auto now = identify_file(then.path);
    if (now.size != then.size)
        return fmt::format("its size was {} and is {} bytes", then.size, now.size);
    if (now.inode != then.inode)
        return "another file has its name";
    return now.modified == then.modified ? "" : fmt::format("it was written to at {}", moment(now.modified));
}

}  // namespace vprov::hypervisor
