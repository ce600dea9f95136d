#include "partition/compare/volume_files.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <functional>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/root_dir.h"
#include "os/temp_dir.h"
#include "partition/compare/ext_listing.h"
#include "partition/compare/image_bytes.h"
#include "partition/image/loop_device.h"
#include "partition/image/private_mounts.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

using Visit = std::function<void(const fs::path&)>;

void visit_vfat(const Place& place, const fs::path& scratch, os::CommandRunner& runner, const Visit& visit) {
    os::Command command;
    command.argv = {"mcopy",
                    "-s",
                    "-m",
                    "-n",
                    "-Q",
                    "-i",
                    fmt::format("{}@@{}", place.file.native(), place.offset.value),
                    "::/",
                    scratch.native()};
    command.environment = os::clean_environment();
    command.environment["MTOOLSRC"] = "/dev/null";
    command.environment["MTOOLS_SKIP_CHECK"] = "1";
    command.environment["TZ"] = "UTC";
    os::run_or_fail({ErrorKind::disk, "mtools"}, command, runner);
    visit(scratch);
}

void visit_btrfs(const Volume& volume, const Place& place, const fs::path& scratch, os::CommandRunner& runner,
                 const Visit& visit) {
    const auto part = scratch / "volume", files = scratch / "files";
    extract(place.file, place.offset, volume.size, part);
    fs::create_directory(files);
    os::Command command;
    command.argv = {"btrfs", "restore", "-m", "-x", "-S", part.native(), files.native()};
    command.environment = os::clean_environment();
    os::run_or_fail({ErrorKind::disk, "btrfs-progs"}, command, runner);
    visit(files);
}

void visit_xfs(const Volume& volume, const Place& place, const fs::path& scratch, const Visit& visit) {
    if (const auto cause = what_forbids_loop_devices(); !cause.empty())
        throw error(ErrorKind::disk, "xfs is read by mounting it, as root of this host: {}", cause);
    const LoopDevice device(place, volume.size, LoopDevice::Access::read);
    in_private_mounts([&] {
        // the same UUID may be mounted already; a log that is not clean is none of a build's
        if (::mount(device.path().c_str(), scratch.c_str(), "xfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                    "nouuid,norecovery") != 0)
            throw system_error(ErrorKind::disk, errno, "cannot mount " + quote(place.title));
        try {
            visit(scratch);
        } catch (...) {
            unmount(scratch);
            throw;
        }
        unmount(scratch);
    });
}

void visit_files(const Volume& volume, const Place& place, os::CommandRunner& runner, const Visit& visit) {
    const os::TempDir scratch(place.scratch, ".files-");
    try {
        if (volume.filesystem == Filesystem::vfat)
            visit_vfat(place, scratch.path(), runner, visit);
        else if (volume.filesystem == Filesystem::btrfs)
            visit_btrfs(volume, place, scratch.path(), runner, visit);
        else if (volume.filesystem == Filesystem::xfs)
            visit_xfs(volume, place, scratch.path(), visit);
        else
            throw error(ErrorKind::disk, "{} has no files", name(volume.filesystem));
    } catch (Error& e) {
        e.add_context(fmt::format("cannot look into {}", place.title));
        throw;
    }
}

bool is_ext(const Volume& volume) {
    return volume.filesystem == Filesystem::ext2 || volume.filesystem == Filesystem::ext3 ||
           volume.filesystem == Filesystem::ext4;
}

}  // namespace

TreeListing list_volume(const Volume& volume, const Place& place, os::CommandRunner& runner) {
    if (is_ext(volume))
        return list_ext(place.file, place.offset);
    TreeListing listing;
    visit_files(volume, place, runner, [&](const fs::path& files) { listing = list_tree(files); });
    return listing;
}

std::optional<std::string> read_from_volume(const Volume& volume, const Place& place, const std::string& path,
                                            os::CommandRunner& runner) {
    if (is_ext(volume))
        return read_ext_file(place.file, place.offset, path);
    std::optional<std::string> content;
    visit_files(volume, place, runner, [&](const fs::path& files) {
        const os::RootDir root(files);
        if (const auto status = root.status(path); status && S_ISREG(status->st_mode))
            content = root.read(path);
    });
    return content;
}

std::optional<FoundVolume> find_volume(const DiskPlan& disk, const Volume& volume, const fs::path& image) {
    Place place{image, {}, PlaceKind::image, image.filename().native(), disk.sector_size, {}};
    if (disk.table == Table::none)
        return FoundVolume{place, {fs::file_size(image)}};
    const auto file = os::open_file(image, O_RDONLY);
    const std::unique_ptr<blkid_struct_probe, void (*)(blkid_probe)> probe(::blkid_new_probe(), ::blkid_free_probe);
    if (!probe || ::blkid_probe_set_device(probe.get(), file.get(), 0, 0) != 0 ||
        ::blkid_probe_set_sectorsize(probe.get(), disk.sector_size) != 0)
        throw error(ErrorKind::disk, "cannot read the table of {}", quote(image.native()));
    ::blkid_probe_enable_partitions(probe.get(), 1);
    const auto list = ::blkid_probe_get_partitions(probe.get());
    const auto partition =
        list ? ::blkid_partlist_get_partition_by_partno(list, static_cast<int>(volume.number)) : nullptr;
    if (!partition)
        return std::nullopt;
    place.offset = {static_cast<std::uint64_t>(::blkid_partition_get_start(partition)) * 512};
    return FoundVolume{place, {static_cast<std::uint64_t>(::blkid_partition_get_size(partition)) * 512}};
}

}  // namespace vprov::partition
