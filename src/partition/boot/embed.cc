#include "partition/boot/embed.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "base/text.h"
#include "os/fd.h"

namespace vprov::partition {
void embed_grub(const std::filesystem::path& disk, std::string_view boot_img, std::string_view core_img,
                const EmbeddingArea& area) {
    const auto fd = os::open_file(disk, O_RDWR);
    std::array<char, 512> present{};
    if (::pread(fd.get(), present.data(), present.size(), 0) != static_cast<ssize_t>(present.size()))
        throw error(ErrorKind::disk, "cannot read the first sector of {}", quote(disk.native()));
    const auto core = placed_core(core_img, area);
    const auto sector = boot_sector(boot_img, {present.data(), present.size()}, area.start);
    os::write_at(fd, core, area.start.value, quote(disk.native()));
    os::write_at(fd, sector, 0, quote(disk.native()));
}

}  // namespace vprov::partition
