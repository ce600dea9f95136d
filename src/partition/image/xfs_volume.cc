#include "partition/image/xfs_volume.h"

#include "base/error.h"
#include "base/text.h"
#include "os/temp_dir.h"
#include "partition/image/loop_device.h"
#include "partition/image/made_apart.h"
#include "partition/image/mkfs.h"
#include "partition/image/private_mounts.h"
#include "partition/image/tree_copy.h"

namespace vprov::partition {
namespace fs = std::filesystem;
namespace {

void fill_mounted(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner) {
    if (const auto cause = what_forbids_loop_devices(); !cause.empty())
        throw error(ErrorKind::disk, "cannot write {}: xfs is filled by mounting it, as root of this host: {}",
                    place.title, cause);
    const LoopDevice device(place, volume.size);
    run_mkfs(mkfs_xfs(volume, device.path()), place, "xfsprogs", runner);
    const os::TempDir mounted(place.scratch, ".xfs-");
    in_private_mounts([&] {
        mount_filesystem(device.path(), mounted.path(), "xfs");
        copy_tree(part, mounted.path(), volume.mount == "/" ? RootMode::system : RootMode::as_in_tree);
        unmount(mounted.path());
    });
}

}  // namespace

os::Command mkfs_xfs(const Volume& volume, const fs::path& target) {
    os::Command command;
    command.argv = {"mkfs.xfs", "-q", "-f", "-K", "-m", "uuid=" + volume.uuid.text()};
    if (!volume.label.empty())
        command.argv.insert(command.argv.end(), {"-L", volume.label});
    command.argv.push_back(target.string());
    command.environment = os::clean_environment();
    return command;
}

void write_xfs(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner) {
    if (part.top.empty()) {
        make_apart(place, volume.size,
                   [&](const fs::path& target) { run_mkfs(mkfs_xfs(volume, target), place, "xfsprogs", runner); });
        return;
    }
    const auto content = xfs_size(measure(part.top, part.left_out), {});
    if (content > volume.size)
        throw error(ErrorKind::disk, "cannot write {}: the tree needs about {}, the disk has {}", place.title,
                    human(content), human(volume.size));
    fill_mounted(volume, part, place, runner);
}

// A log of 64 MiB, inodes of 512 bytes, and what each allocation group keeps back.
Bytes xfs_size(const TreeSize& tree, Bytes room) {
    const auto content = tree.content + room;
    return {content.value + content.value / 50 + tree.inodes * 544 + (80_MiB).value};
}

}  // namespace vprov::partition
