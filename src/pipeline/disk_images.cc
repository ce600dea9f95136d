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

partition::Found found_on(const fs::path& device, const plan::Plan& plan) {
    const auto same = [&](const fs::path& named) {
        return fs::weakly_canonical(named) == fs::weakly_canonical(device);
    };
    return std::any_of(plan.erase.begin(), plan.erase.end(), same) ? partition::Found::given_up
                                                                   : partition::Found::refused;
}

// The volume that has to be made; nullopt for a device that is there.
std::optional<partition::VolumeName> missing_volume(const partition::DiskPlan& disk) {
    if (fs::exists(disk.device))
        return std::nullopt;
    const auto name = partition::volume_name_of(disk.device);
    if (!name)
        throw error(ErrorKind::disk, "cannot use {}: there is no such device", quote(disk.device));
    return name;
}

void write_to_device(const partition::DiskPlan& disk, const SealedTree& tree, const plan::Plan& plan,
                     const fs::path& scratch, os::CommandRunner& runner) {
    partition::write_device(disk, parts_for(tree, plan.layout, disk), scratch, runner);
    write_boot_code(tree.root(), plan.boot, disk, disk.device);
}

void write_existing(const partition::DiskPlan& disk, const SealedTree& tree, const plan::Plan& plan,
                    const fs::path& directory, os::CommandRunner& runner) {
    check_device(disk.device, found_on(disk.device, plan));  // again: packages took their time
    partition::erase_device(disk.device);
    try {
        write_to_device(disk, tree, plan, directory, runner);
    } catch (...) {
        try {
            partition::erase_device(disk.device);  // nothing half-made is left
        } catch (const Error&) {                   // the first failure is what is told
        }
        throw;
    }
    partition::reread_table(disk.device);
}

}  // namespace

partition::DiskLayout settled_layout(const SealedTree& tree, const plan::Plan& plan) {
    auto layout = plan.layout;
    for (auto& disk : layout.disks) partition::settle(disk, parts_for(tree, plan.layout, disk));
    return layout;
}

void write_disks(const SealedTree& tree, const plan::Plan& plan, const fs::path& directory, os::CommandRunner& runner) {
    std::vector<std::unique_ptr<partition::LogicalVolume>> volumes;
    for (const auto& disk : plan.layout.disks) {
        if (disk.device.empty()) {
            write_image(disk, tree, plan, directory, runner);
        } else if (const auto name = missing_volume(disk)) {
            volumes.push_back(std::make_unique<partition::LogicalVolume>(*name, disk.size, runner));
            auto unfinished = disk;
            unfinished.device = volumes.back()->device();
            write_to_device(unfinished, tree, plan, directory, runner);
        } else {
            write_existing(disk, tree, plan, directory, runner);
        }
    }
    for (const auto& volume : volumes) volume->publish();
}

void check_disks(const plan::Plan& plan, os::CommandRunner& runner) {
    for (const auto& disk : plan.layout.disks) {
        if (disk.device.empty())
            continue;
        if (const auto name = missing_volume(disk))
            partition::check_group(*name, disk.size, runner);
        else
            partition::check_device(disk.device, found_on(disk.device, plan));
    }
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
