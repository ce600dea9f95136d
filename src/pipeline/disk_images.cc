#include "pipeline/disk_images.h"

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/configure/base_system.h"
#include "os/user_namespace.h"
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

void write_image(const SealedTree& tree, const plan::BootPlan& boot, const partition::DiskPlan& disk,
                 const std::vector<partition::TreePart>& parts, const fs::path& directory, os::CommandRunner& runner) {
    const auto raw = directory / (disk.image + ".raw");
    partition::write_raw_image(disk, parts, raw, runner);
    write_boot_code(tree.root(), boot, disk, raw);
    partition::finish_image(disk, raw, directory / disk.image, runner);
}

}  // namespace

partition::DiskLayout settled_layout(const SealedTree& tree, const plan::Plan& plan) {
    auto layout = plan.layout;
    for (auto& disk : layout.disks) partition::settle(disk, parts_for(tree, plan.layout, disk));
    return layout;
}

void write_disks(const SealedTree& tree, const plan::Plan& plan, const fs::path& directory, os::CommandRunner& runner) {
    for (const auto& disk : plan.layout.disks) {
        const auto parts = parts_for(tree, plan.layout, disk);
        if (!disk.device.empty())
            throw error(ErrorKind::disk, "cannot write to {}: devices are not written yet", quote(disk.device));
        write_image(tree, plan.boot, disk, parts, directory, runner);
    }
}

void check_disks(const plan::Plan& plan) {
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
