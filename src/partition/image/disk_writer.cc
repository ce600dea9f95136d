#include "partition/image/disk_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

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
    const auto fd = os::open_file(device, O_RDWR);
    if (::fsync(fd.get()) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot write " + quote(device.native()));
    write_table(disk, device);
    if (::fsync(fd.get()) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot write " + quote(device.native()));
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
