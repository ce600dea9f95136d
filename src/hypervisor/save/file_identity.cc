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

std::uint64_t big_endian(const unsigned char* bytes, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[i];
    return value;
}

// What a qcow2 image is an overlay of; "" for none. Header: QEMU's docs/interop/qcow2.txt, bytes 0, 8 and 16.
fs::path backing_file(const fs::path& image) {
    constexpr std::uint64_t kMagic = 0x514649fb, kMostName = 1023;
    std::array<unsigned char, 20> header{};
    const auto file = os::open_file(image, O_RDONLY, 0, ErrorKind::hypervisor);
    if (::pread(file.get(), header.data(), header.size(), 0) != static_cast<ssize_t>(header.size()) ||
        big_endian(header.data(), 4) != kMagic)
        return {};
    const auto offset = big_endian(header.data() + 8, 8), size = big_endian(header.data() + 16, 4);
    std::string name(std::min(size, kMostName), '\0');
    if (offset == 0 ||
        ::pread(file.get(), name.data(), name.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(name.size()))
        return {};
    // "json:" and protocols name no file of ours; a path is relative to the image's directory
    const bool is_file = name.find(':') == std::string::npos || name.find('/') < name.find(':');
    return is_file ? (image.parent_path() / name).lexically_normal() : fs::path();
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
    constexpr int kDeepest = 64;
    std::vector<FileIdentity> files;
    for (const auto& disk : guest.disks) {
        fs::path path = disk.target;
        for (int depth = 0; !path.empty() && depth < kDeepest; ++depth) {
            files.push_back(identify_file(path));
            path = disk.format == DiskFormat::qcow2 ? backing_file(path) : fs::path();
        }
    }
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
