#include "partition/image/disk_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "base/error.h"
#include "base/text.h"
#include "partition/image/mkfs.h"
#include "partition/image/new_image.h"
#include "partition/image/partition_table.h"
#include "partition/image/volume_writer.h"
#include "partition/layout/placement.h"

namespace vprov::partition {
namespace fs = std::filesystem;
namespace {

std::string title_of(const DiskPlan& disk, const Volume& volume) {
    const auto& name = disk.device.empty() ? disk.image : disk.device;
    return volume.number == 0 ? name : fmt::format("{}, partition {} ({})", name, volume.number, quote(volume.name));
}

void write_volumes(const DiskPlan& disk, const std::vector<TreePart>& parts, Place place, os::CommandRunner& runner) {
    for (std::size_t i = 0; i < disk.volumes.size(); ++i) {
        const auto& volume = disk.volumes[i];
        place.offset = volume.start;
        place.title = title_of(disk, volume);
        place.sector_size = disk.sector_size;
        write_volume(volume, i < parts.size() ? parts[i] : TreePart{}, place, runner);
    }
}

constexpr std::size_t kSector = 512;

void copy_sector(const os::Fd& from, const os::Fd& to, std::uint64_t offset, const fs::path& device) {
    std::array<char, kSector> sector{};
    const auto place = static_cast<off_t>(offset);
    if (::pread(from.get(), sector.data(), kSector, place) != static_cast<ssize_t>(kSector))
        throw system_error(ErrorKind::disk, errno, "cannot read the partition table");
    if (std::ranges::all_of(sector, [](char byte) { return byte == 0; }))
        return;
    if (::pwrite(to.get(), sector.data(), kSector, place) != static_cast<ssize_t>(kSector))
        throw system_error(ErrorKind::disk, errno, "cannot write " + quote(device.native()));
}

void sync(const os::Fd& fd, const fs::path& device) {
    if (::fsync(fd.get()) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot write " + quote(device.native()));
}

// Made apart: libparted gives it other identifiers at first, and whoever looks at the device meanwhile would see those.
// Its sectors are copied, and the first of the disk, without which there is no table, when the others are there.
void write_table_to_device(const DiskPlan& disk, const fs::path& scratch) {
    const fs::path device = disk.device;
    const auto to = os::open_file(device, O_RDWR);
    sync(to, device);
    if (disk.table == Table::none)
        return;
    const NewImage table(scratch / (device.filename().native() + ".table"), disk.size);
    write_table(disk, table.path());
    const auto from = os::open_file(table.path(), O_RDONLY);
    for (off_t data = ::lseek(from.get(), 0, SEEK_DATA); data >= 0;) {
        const auto end = ::lseek(from.get(), data, SEEK_HOLE);
        for (auto offset = std::max<off_t>(data, kSector); offset < end; offset += kSector)
            copy_sector(from, to, static_cast<std::uint64_t>(offset), device);
        data = end < 0 ? -1 : ::lseek(from.get(), end, SEEK_DATA);
    }
    sync(to, device);
    copy_sector(from, to, 0, device);
    sync(to, device);
}

}  // namespace

void write_raw_image(const DiskPlan& disk, const std::vector<TreePart>& parts, const fs::path& raw,
                     os::CommandRunner& runner) {
    NewImage file(raw, disk.size);
    write_volumes(disk, parts, {raw, {}, PlaceKind::image, "", disk.sector_size, raw.parent_path()}, runner);
    write_table(disk, raw);
    file.keep();
}

void write_device(const DiskPlan& disk, const std::vector<TreePart>& parts, const fs::path& scratch,
                  os::CommandRunner& runner) {
    const fs::path device = disk.device;
    write_volumes(disk, parts, {device, {}, PlaceKind::device, "", disk.sector_size, scratch}, runner);
    write_table_to_device(disk, scratch);
}

void finish_image(const DiskPlan& disk, const fs::path& raw, const fs::path& image, os::CommandRunner& runner) {
    if (disk.format == ImageFormat::raw) {
        fs::rename(raw, image);
        return;
    }
    os::Command command;
    command.argv = {"qemu-img",   "convert",     "-f", "raw", "-O", std::string(name(disk.format)),
                    raw.string(), image.string()};
    command.environment = os::clean_environment();
    try {
        run_mkfs(command, {image, {}, PlaceKind::image, disk.image}, "qemu-utils", runner);
        fs::permissions(image, fs::perms(0600));  // as a raw one: it holds password hashes and host keys
    } catch (...) {
        std::error_code ignored;
        fs::remove(image, ignored);
        throw;
    }
    fs::remove(raw);
}

void settle(DiskPlan& disk, const std::vector<TreePart>& parts) {
    for (std::size_t i = 0; i < disk.volumes.size(); ++i) {
        auto& volume = disk.volumes[i];
        if (volume.sizing != Sizing::content)
            continue;
        TreeSize content;
        if (i < parts.size() && !parts[i].top.empty()) {
            content = measure(parts[i].top, parts[i].left_out);
            content.inodes += parts[i].added.size();
        }
        volume.size = size_for(volume, content);
    }
    place(disk);
}

}  // namespace vprov::partition
