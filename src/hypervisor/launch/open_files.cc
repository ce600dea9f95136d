#include "hypervisor/launch/open_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/image_chain.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

struct stat status_of(const os::Fd& fd, const std::string& path) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot look at " + quote(path));
    return status;
}

std::string head_of(const os::Fd& fd, const std::string& path) {
    std::string head(kImageHeadSize, '\0');
    const auto count = ::pread(fd.get(), head.data(), head.size(), 0);
    if (count < 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot read " + quote(path));
    head.resize(static_cast<std::size_t>(count));
    return head;
}

std::string base_path(const std::string& image, const ImageBase& base) {
    if (!base.format)
        throw error(ErrorKind::hypervisor,
                    "it does not say of which format its base {} is (qemu-img rebase -u -F FORMAT -b BASE IMAGE notes "
                    "it)",
                    quote(base.file));
    const auto slash = base.file.find('/');
    const auto colon = base.file.find(':');
    if (colon < slash)  // QEMU takes it for a protocol: json:, nbd:
        throw error(ErrorKind::hypervisor, "its base {} is neither a file nor a device", quote(base.file));
    return (fs::path(image).parent_path() / base.file).lexically_normal().native();
}

// What QEMU opens by a name of its own for it. Its pages are in memory until the last who has it open ends.
os::Fd copied_to_memory(const os::Fd& file, const std::string& path) {
    os::Fd copy(::memfd_create("kernel", MFD_CLOEXEC));
    if (!copy.is_open())
        throw system_error(ErrorKind::hypervisor, errno, "cannot hold " + quote(path));
    os::write_all(copy.get(), os::read_file(file, quote(path), ErrorKind::hypervisor), quote(path));
    return copy;
}

}  // namespace

std::vector<OpenImage> open_images(std::string path, DiskFormat format, bool writable) {
    constexpr std::size_t kMost = 64;
    std::vector<OpenImage> images;
    for (int flags = writable ? O_RDWR : O_RDONLY;; flags = O_RDONLY) {
        auto file = os::open_file(path, flags, 0, ErrorKind::hypervisor);
        const bool is_device = S_ISBLK(status_of(file, path).st_mode);
        std::optional<ImageBase> base;
        std::string next;
        try {
            base = base_of_image(format, head_of(file, path));
            next = base ? base_path(path, *base) : "";
        } catch (const Error& e) {
            throw images.empty() ? e : error(ErrorKind::hypervisor, "its base {}: {}", quote(path), e.message());
        }
        images.push_back({std::move(file), std::exchange(path, std::move(next)), format, is_device});
        if (!base)
            return images;
        if (images.size() == kMost)
            throw error(ErrorKind::hypervisor, "it is based on itself, or on more than {} others", kMost);
        format = *base->format;
    }
}

std::string OpenFiles::add(os::Fd fd, const std::string& path) {
    const auto set = static_cast<unsigned>(files_.size() + 1);
    files_.push_back({fd.get(), set, path});
    held_.push_back(std::move(fd));
    return name_in_qemu(set);
}

std::string OpenFiles::open(const std::string& path, int flags) {
    return add(os::open_file(path, flags, 0, ErrorKind::hypervisor), path);
}

std::vector<DiskLayer> OpenFiles::open_disk(const Guest& guest, const GuestDisk& disk) {
    std::vector<DiskLayer> layers;
    try {
        for (auto& image : open_images(disk.target, disk.format, disk.writable))
            layers.push_back({add(std::move(image.file), image.path), image.format, image.is_device});
    } catch (const Error& e) {
        throw error(ErrorKind::hypervisor, "cannot start {}: the disk {} {}: {}", quote(guest.name), disk.vdev,
                    quote(disk.target), e.message());
    }
    return layers;
}

std::string OpenFiles::open_for_loader(const std::string& path) {
    auto fd = os::open_file(path, O_RDONLY, 0, ErrorKind::hypervisor);
    if (!(status_of(fd, path).st_mode & S_IROTH))
        fd = copied_to_memory(fd, path);
    return pass_to_loader(std::move(fd));
}

std::string OpenFiles::pass_to_loader(os::Fd fd) {
    held_.push_back(std::move(fd));
    return fmt::format("/proc/self/fd/{}", held_.back().get());
}

}  // namespace vprov::hypervisor
