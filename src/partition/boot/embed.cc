#include "partition/boot/embed.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.h"
#include "os/fd.h"

namespace vprov::partition {
namespace {

void write_at(const os::Fd& fd, std::string_view data, Bytes offset, const std::filesystem::path& disk) {
    while (!data.empty()) {
        const auto count = ::pwrite(fd.get(), data.data(), data.size(), static_cast<off_t>(offset.value));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            throw system_error(ErrorKind::disk, errno, fmt::format("cannot write {}", quote(disk.native())));
        data.remove_prefix(static_cast<std::size_t>(count));
        offset += Bytes{static_cast<std::uint64_t>(count)};
    }
}

}  // namespace

void embed_grub(const std::filesystem::path& disk, std::string_view boot_img, std::string_view core_img,
                const EmbeddingArea& area) {
    const auto fd = os::open_file(disk, O_RDWR);
    std::array<char, 512> present{};
    if (::pread(fd.get(), present.data(), present.size(), 0) != static_cast<ssize_t>(present.size()))
        throw error(ErrorKind::disk, "cannot read the first sector of {}", quote(disk.native()));
    const auto core = placed_core(core_img, area);
    const auto sector = boot_sector(boot_img, {present.data(), present.size()}, area.start);
    write_at(fd, core, area.start, disk);
    write_at(fd, sector, {0}, disk);
}

}  // namespace vprov::partition
