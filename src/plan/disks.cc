#include "plan/disks.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace vprov::plan {
namespace {
using partition::DiskPlan;

partition::Filesystem planned(recipe::Filesystem filesystem) {
    switch (filesystem) {
        case recipe::Filesystem::ext2:
            return partition::Filesystem::ext2;
        case recipe::Filesystem::ext3:
            return partition::Filesystem::ext3;
        case recipe::Filesystem::ext4:
            return partition::Filesystem::ext4;
        case recipe::Filesystem::swap:
            return partition::Filesystem::swap;
    }
    throw error(ErrorKind::internal, "internal error: cannot plan file system {}", static_cast<int>(filesystem));
}

std::string default_options(const DiskPlan& disk) {
    if (disk.filesystem == partition::Filesystem::swap)
        return "sw";
    return disk.mount == "/" ? "errors=remount-ro" : "defaults";  // as Debian's installer writes them
}

// xvda1, xvda2, ...: the first that no disk has.
std::string free_device(std::set<std::string>& taken) {
    for (unsigned number = 1;; ++number)
        if (auto device = fmt::format("xvda{}", number); taken.insert(device).second)
            return device;
}

std::string_view whole_device(std::string_view device) {
    return device.substr(0, device.find_first_of("0123456789"));
}

void refuse_same(const DiskPlan& a, const DiskPlan& b) {
    const auto refuse = [](std::string_view what, std::string_view value) {
        throw error(ErrorKind::recipe, "cannot plan two disks with the {} {}", what, quote(value));
    };
    if (a.name == b.name)
        refuse("name", a.name);
    if (!a.mount.empty() && a.mount == b.mount)
        refuse("mount point", a.mount);
    if (a.guest == b.guest)
        refuse("guest device", a.guest);
    if (a.guest == whole_device(b.guest) || b.guest == whole_device(a.guest))
        throw error(ErrorKind::recipe, "cannot plan the guest devices {} and {} together: one is a part of the other",
                    quote(a.guest), quote(b.guest));
}

}  // namespace

partition::DiskLayout planned_layout(const recipe::Recipe& recipe, const std::string& seed) {
    std::set<std::string> taken;
    for (const auto& disk : recipe.disks)
        if (disk.guest)
            taken.insert(*disk.guest);
    partition::DiskLayout layout;
    for (const auto& asked : recipe.disks) {
        DiskPlan disk;
        disk.name = recipe::disk_name(asked);
        if (disk.name.empty() || !asked.size || !asked.filesystem)
            throw error(ErrorKind::recipe,
                        "cannot plan a disk without a size, a file system and a mount point or name");
        disk.image = disk.name + ".img";
        disk.guest = asked.guest ? *asked.guest : free_device(taken);
        disk.size = *asked.size;
        disk.filesystem = planned(*asked.filesystem);
        disk.mount = asked.mount.value_or("");
        disk.label = asked.label.value_or("");
        disk.options = asked.options.value_or(default_options(disk));
        disk.uuid = Uuid::derived(seed, fmt::format("disk {}", disk.name));
        for (const auto& other : layout.disks) refuse_same(disk, other);
        layout.disks.push_back(std::move(disk));
    }
    if (std::none_of(layout.disks.begin(), layout.disks.end(), [](const DiskPlan& disk) { return disk.mount == "/"; }))
        throw error(ErrorKind::recipe, "cannot plan the disks: none is mounted at '/'");
    return layout;
}

}  // namespace vprov::plan
