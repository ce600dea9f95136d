#include "plan/disks.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "partition/layout/placement.h"

namespace vprov::plan {
namespace {
using partition::DiskPlan;
using partition::Filesystem;
using partition::Role;
using partition::Sizing;
using partition::Table;
using partition::Volume;

constexpr Bytes kRoom = 256_MiB;  // of size "auto", when the recipe does not say

bool is_ext(Filesystem filesystem) {
    return filesystem == Filesystem::ext2 || filesystem == Filesystem::ext3 || filesystem == Filesystem::ext4;
}

// As Debian's installer writes them.
std::string default_options(const Volume& volume) {
    if (volume.is_swap())
        return "sw";
    if (volume.role == Role::esp)
        return "umask=0077";
    return volume.mount == "/" && is_ext(volume.filesystem) ? "errors=remount-ro" : "defaults";
}

// xfs and btrfs are checked when they are mounted; their fsck does nothing.
unsigned default_pass(const Volume& volume) {
    if (volume.mount.empty() || volume.filesystem == Filesystem::xfs || volume.filesystem == Filesystem::btrfs)
        return 0;
    return volume.mount == "/" || volume.role == Role::esp ? 1 : 2;
}

Uuid filesystem_uuid(const std::optional<std::string>& given, const std::string& seed, const std::string& role) {
    if (!given)
        return Uuid::derived(seed, role);
    if (const auto uuid = Uuid::parse(*given))
        return *uuid;
    auto digits = *given;  // vfat's or an MBR's: the first four bytes
    std::erase(digits, '-');
    digits.resize(32, '0');
    for (const auto place : {20U, 16U, 12U, 8U}) digits.insert(place, "-");
    return Uuid::parse(digits).value_or(Uuid{});
}

// What a disk without a table and a partition have in common.
template <class T>
void set_content(Volume& volume, const T& asked, const std::string& seed, const std::string& role) {
    volume.mount = asked.mount.value_or("");
    volume.label = asked.label.value_or("");
    volume.uuid = filesystem_uuid(asked.uuid, seed, role);
    if (asked.size) {
        volume.sizing = asked.size->sizing;
        volume.size = asked.size->bytes;
    }
    if (volume.sizing == Sizing::content)
        volume.room = asked.room.value_or(kRoom);
    volume.options = asked.options.value_or(default_options(volume));
    volume.pass = static_cast<unsigned>(asked.pass.value_or(default_pass(volume)));
    volume.dump = static_cast<unsigned>(asked.dump.value_or(0));
}

Role default_role(const recipe::Partition& asked) {
    if (asked.filesystem == Filesystem::swap)
        return Role::swap;
    const bool is_esp = asked.filesystem == Filesystem::vfat && (asked.mount == "/boot/efi" || asked.mount == "/efi");
    return is_esp ? Role::esp : Role::data;
}

Filesystem default_filesystem(Role role) {
    if (role == Role::swap)
        return Filesystem::swap;
    return role == Role::esp ? Filesystem::vfat : Filesystem::none;
}

Volume planned_partition(const recipe::Partition& asked, const DiskPlan& disk, const std::string& seed) {
    Volume volume;
    volume.role = asked.type.value_or(default_role(asked));
    volume.filesystem = asked.filesystem.value_or(default_filesystem(volume.role));
    auto named = asked;
    named.type = volume.role;
    named.filesystem = volume.filesystem;
    volume.name = recipe::volume_name(named);
    const auto unnamed = volume.name;
    for (unsigned copy = 2; !asked.name && std::any_of(disk.volumes.begin(), disk.volumes.end(),
                                                       [&](const auto& other) { return other.name == volume.name; });
         ++copy)
        volume.name = fmt::format("{}{}", unnamed, copy);
    set_content(volume, asked, seed, fmt::format("disk {}/{}", disk.name, volume.name));
    volume.partuuid = asked.partuuid ? Uuid::parse(*asked.partuuid).value_or(Uuid{})
                                     : Uuid::derived(seed, fmt::format("partition {}/{}", disk.name, volume.name));
    if (disk.table == Table::gpt)
        volume.partlabel = asked.name.value_or("");
    volume.flags.insert(asked.flags.begin(), asked.flags.end());
    volume.logical = asked.logical.value_or(false);
    return volume;
}

Volume planned_whole(const recipe::Disk& asked, const std::string& name, const std::string& seed) {
    if (!asked.filesystem || (!asked.size && !asked.device))
        throw error(ErrorKind::recipe, "cannot plan a disk without a size, a file system and a mount point or name");
    Volume volume;
    volume.name = name;
    volume.filesystem = *asked.filesystem;
    volume.role = volume.is_swap() ? Role::swap : Role::data;
    set_content(volume, asked, seed, fmt::format("disk {}", name));
    return volume;
}

// The device's own size wins over the recipe's, which is that of a volume to be made.
void set_device(DiskPlan& disk, const recipe::Disk& asked, const HostFacts& facts) {
    disk.device = *asked.device;
    disk.image.clear();
    const auto found = facts.block_device ? facts.block_device(disk.device) : std::nullopt;
    if (found) {
        disk.size = found->size;
        disk.sector_size = asked.sector_size.value_or(found->sector_size);
        if (asked.size && asked.size->bytes > found->size)
            throw error(ErrorKind::disk, "cannot use {} as a disk of {}: it has {}, {} bytes are missing",
                        quote(disk.device), exact(asked.size->bytes), exact(found->size),
                        asked.size->bytes.value - found->size.value);
    } else if (!asked.size) {
        throw error(ErrorKind::disk, "cannot use {}: there is no such device, and no size to make a volume of",
                    quote(disk.device));
    }
    if (disk.table == Table::none)
        disk.volumes[0].size = disk.size;
}

DiskPlan planned_disk(const recipe::Disk& asked, const std::string& seed, const HostFacts& facts) {
    DiskPlan disk;
    disk.name = recipe::disk_name(asked);
    if (disk.name.empty())
        throw error(ErrorKind::recipe, "cannot plan a disk without a size, a file system and a mount point or name");
    disk.overlay = asked.overlay;
    disk.format = asked.overlay ? partition::ImageFormat::qcow2 : asked.format;
    disk.image =
        fmt::format("{}.{}", disk.name, disk.format == partition::ImageFormat::raw ? "img" : name(disk.format));
    disk.table = asked.table;
    disk.sector_size = asked.sector_size.value_or(512);
    disk.sizing = asked.size && asked.size->sizing == Sizing::fixed ? Sizing::fixed : Sizing::content;
    disk.size = asked.size ? asked.size->bytes : Bytes{};
    if (disk.table == Table::none) {
        disk.volumes.push_back(planned_whole(asked, disk.name, seed));
    } else {
        disk.table_uuid = filesystem_uuid(asked.table_uuid, seed, fmt::format("table {}", disk.name));
        for (const auto& partition : asked.partitions) disk.volumes.push_back(planned_partition(partition, disk, seed));
    }
    if (asked.device) {
        disk.sizing = Sizing::fixed;
        set_device(disk, asked, facts);
    }
    return disk;
}

std::string_view whole_device(std::string_view device) {
    return device.substr(0, device.find_first_of("0123456789"));
}

// xvda1, xvda2, ... for file systems of their own, xvda, xvdb, ... for disks with a table: the first that is free.
std::string free_device(Table table, std::set<std::string>& taken) {
    const auto is_free = [&](const std::string& device) {
        return std::none_of(taken.begin(), taken.end(), [&](const std::string& other) {
            return other == device || other == whole_device(device) || whole_device(other) == device;
        });
    };
    for (char letter = 'a'; letter <= 'z'; ++letter)
        for (unsigned number = 1; number < 64; ++number) {
            const auto device =
                table == Table::none ? fmt::format("xvd{}{}", letter, number) : fmt::format("xvd{}", letter);
            if (is_free(device)) {
                taken.insert(device);
                return device;
            }
        }
    throw error(ErrorKind::recipe, "cannot plan the disks: there are more of them than devices xvda to xvdz");
}

void name_devices(partition::DiskLayout& layout, const std::vector<recipe::Disk>& asked) {
    std::set<std::string> taken;
    for (const auto& disk : asked)
        if (disk.guest)
            taken.insert(*disk.guest);
    for (std::size_t i = 0; i < layout.disks.size(); ++i)
        layout.disks[i].guest = asked[i].guest ? *asked[i].guest : free_device(layout.disks[i].table, taken);
}

void refuse_same(const DiskPlan& a, const DiskPlan& b) {
    const auto refuse = [](std::string_view what, std::string_view value) {
        throw error(ErrorKind::recipe, "cannot plan two disks with the {} {}", what, quote(value));
    };
    if (a.name == b.name)
        refuse("name", a.name);
    for (const auto& one : a.volumes)
        for (const auto& other : b.volumes)
            if (!one.mount.empty() && one.mount == other.mount)
                refuse("mount point", one.mount);
    if (a.guest == b.guest)
        refuse("guest device", a.guest);
    if (a.guest == whole_device(b.guest) || b.guest == whole_device(a.guest))
        throw error(ErrorKind::recipe, "cannot plan the guest devices {} and {} together: one is a part of the other",
                    quote(a.guest), quote(b.guest));
}

}  // namespace

partition::DiskLayout planned_layout(const recipe::Recipe& recipe, const std::string& seed, const HostFacts& facts) {
    partition::DiskLayout layout;
    for (const auto& asked : recipe.disks) layout.disks.push_back(planned_disk(asked, seed, facts));
    name_devices(layout, recipe.disks);
    for (std::size_t later = 1; later < layout.disks.size(); ++later)
        for (std::size_t first = 0; first < later; ++first) refuse_same(layout.disks[later], layout.disks[first]);
    const auto volumes = layout.volumes();
    if (std::none_of(volumes.begin(), volumes.end(), [](const Volume* volume) { return volume->mount == "/"; }))
        throw error(ErrorKind::recipe, "cannot plan the disks: none is mounted at '/'");
    return layout;
}

}  // namespace vprov::plan
