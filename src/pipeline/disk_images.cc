#include "pipeline/disk_images.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/configure/base_system.h"
#include "os/user_namespace.h"
#include "partition/device/device.h"
#include "partition/device/logical_volume.h"
#include "partition/image/parted_library.h"
#include "partition/image/volume_writer.h"
#include "pipeline/boot_loader.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

std::vector<partition::TreePart> parts_for(const SealedTree& tree, const partition::DiskLayout& layout,
                                           const partition::DiskPlan& disk) {
    std::vector<partition::TreePart> parts;
    for (const auto& volume : disk.volumes) {
        parts.push_back(volume.mount.empty() ? partition::TreePart{} : part_for(volume, layout, tree.root().path()));
        if (volume.mount == "/")
            for (const auto& node : configure::missing_device_nodes(tree.root()))
                parts.back().added.push_back({parts.back().top / node.path.substr(1), node.mode, node.device});
    }
    return parts;
}

void write_image(const partition::DiskPlan& disk, const SealedTree& tree, const plan::Plan& plan,
                 const fs::path& directory, os::CommandRunner& runner) {
    const auto raw = directory / (disk.image + ".raw");
    partition::write_raw_image(disk, parts_for(tree, plan.layout, disk), raw, runner);
    write_boot_code(tree.root(), plan.boot, disk, raw);
    partition::finish_image(disk, raw, directory / disk.image, runner);
}

// The volume that has to be made; nullopt for a device that is there.
std::optional<partition::VolumeName> missing_volume(const partition::DiskPlan& disk) {
    if (fs::exists(disk.device))
        return std::nullopt;
    auto name = partition::volume_name_of(disk.device);
    if (!name)
        throw error(ErrorKind::disk, "cannot use {}: there is no such device", quote(disk.device));
    return name;
}

void write_to_device(const partition::DiskPlan& disk, const SealedTree& tree, const plan::Plan& plan,
                     const fs::path& scratch, os::CommandRunner& runner) {
    partition::write_device(disk, parts_for(tree, plan.layout, disk), scratch, runner);
    write_boot_code(tree.root(), plan.boot, disk, disk.device);
}

bool may_be_volume(const partition::DiskPlan& disk) {
    return partition::volume_name_of(disk.device) && (!fs::exists(disk.device) || partition::is_volume(disk.device));
}

}  // namespace

partition::DiskLayout settled_layout(const SealedTree& tree, const plan::Plan& plan) {
    auto layout = plan.layout;
    for (auto& disk : layout.disks) partition::settle(disk, parts_for(tree, plan.layout, disk));
    return layout;
}

std::unique_ptr<WrittenDisks> write_disks(const SealedTree& tree, const plan::Plan& plan, const fs::path& directory,
                                          os::CommandRunner& runner) {
    auto written = std::make_unique<WrittenDisks>(partition::Publication::of(directory, plan.output), runner);
    const auto write = [&](const partition::DiskPlan& disk) { write_to_device(disk, tree, plan, directory, runner); };
    for (const auto& disk : plan.layout.disks) {
        if (disk.device.empty())
            write_image(disk, tree, plan, directory, runner);
        else if (const auto name = missing_volume(disk))
            written->write_new(disk, *name, write);
        else
            written->write_existing(disk, found_on(disk.device, plan.erase), write);
    }
    written->name_volumes();
    return written;
}

void refuse_same_devices(const std::vector<plan::Plan>& plans) {
    std::vector<std::string> devices;
    for (const auto& plan : plans)
        for (const auto& disk : plan.layout.disks) {
            if (disk.device.empty())
                continue;
            for (const auto& other : devices)
                if (disk.device == other ||
                    (fs::exists(disk.device) && fs::exists(other) && partition::overlap(disk.device, other)))
                    throw error(ErrorKind::disk, "cannot write two disks to {} and {}: they are one", quote(other),
                                quote(disk.device));
            devices.push_back(disk.device);
        }
}

void check_disks(const plan::Plan& plan, os::CommandRunner& runner) {
    std::vector<partition::NewVolume> volumes;
    for (const auto& disk : plan.layout.disks) {
        if (disk.device.empty())
            continue;
        if (may_be_volume(disk))
            partition::settle_volume(*partition::volume_name_of(disk.device), runner);
        if (const auto name = missing_volume(disk))
            volumes.push_back({*name, disk.size});
        else
            partition::check_device(disk.device, found_on(disk.device, plan.erase));
    }
    partition::check_groups(volumes, runner);
    if (std::ranges::any_of(plan.layout.disks, [](const auto& disk) { return disk.table != partition::Table::none; }))
        partition::parted();  // throws now rather than when there is something to write
    for (const auto* volume : plan.layout.volumes())
        if (!volume->mount.empty() && partition::filled_by(volume->filesystem) == partition::FilledBy::mounting &&
            os::root_by() != os::RootBy::being_root)
            throw error(
                ErrorKind::disk,
                "cannot fill {} ({}) without being root: its tools carry no hard links, capabilities and sticky "
                "bits, so it is mounted; run this as root, or take ext4 or btrfs",
                quote(volume->name), name(volume->filesystem));
}

}  // namespace vprov::pipeline
