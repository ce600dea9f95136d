#include "plan/boot.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "plan/packages.h"

namespace vprov::plan {
namespace {
using partition::Filesystem;
using partition::Role;
using partition::Table;
using recipe::BootMethod;
using recipe::Firmware;

constexpr Bytes kBiosBoot = 1_MiB;
// mkfs.fat makes FAT32 of 65525 clusters and more: a sector each at the least.
constexpr Bytes kEsp = 128_MiB, kEspOfLargeSectors = 512_MiB;
constexpr unsigned kTimeout = 1;
constexpr std::array<const char*, 4> kBiosDisks = {"hda", "hdb", "hdc", "hdd"};

Firmware firmware_of(const recipe::Recipe& asked) {
    return asked.boot.firmware.value_or(Firmware::bios);
}

[[noreturn]] void refuse(std::string_view cause) {
    throw error(ErrorKind::recipe, "cannot boot the guest by GRUB: {}", cause);
}

std::string platform_of(const recipe::Recipe& asked, const std::string& architecture) {
    const bool uefi = firmware_of(asked) == Firmware::uefi;
    return uefi ? partition::efi_platform(architecture) : partition::bios_platform(architecture);
}

std::string package_of(const recipe::Recipe& asked, const std::string& architecture) {
    if (firmware_of(asked) == Firmware::bios)
        return "grub-pc";
    return "grub-efi-" + (architecture == "i386" ? "ia32" : architecture == "armhf" ? "arm" : architecture);
}

// The disk and the partition with /boot in a recipe; null for a bare disk.
struct Place {
    std::size_t disk = 0;
    const recipe::Partition* partition = nullptr;
};

std::optional<Place> place_of(const recipe::Recipe& asked, std::string_view mount) {
    for (std::size_t i = 0; i < asked.disks.size(); ++i) {
        if (asked.disks[i].mount == mount)
            return Place{i, nullptr};
        for (const auto& partition : asked.disks[i].partitions)
            if (partition.mount == mount)
                return Place{i, &partition};
    }
    return std::nullopt;
}

bool is_esp(const recipe::Partition& partition) {
    return partition.type ? partition.type == Role::esp
                          : partition.filesystem == Filesystem::vfat &&
                                (partition.mount == "/boot/efi" || partition.mount == "/efi");
}

template <class Predicate>
bool has_partition(const recipe::Disk& disk, const Predicate& predicate) {
    return std::any_of(disk.partitions.begin(), disk.partitions.end(), predicate);
}

void check_can_start(const recipe::Recipe& asked, const std::string& architecture, const Place& boot) {
    const auto& disk = asked.disks[boot.disk];
    const bool bios = firmware_of(asked) == Firmware::bios;
    if (platform_of(asked, architecture).empty())
        refuse(fmt::format("there is none for {} with {}", bios ? "a BIOS" : "UEFI", architecture));
    if (disk.table == Table::none)
        refuse(
            "the disk with /boot has no partitions: give it table = \"gpt\", or use method \"pvgrub\" or \"direct\"");
    if (bios && boot.disk != 0)
        refuse(fmt::format("a BIOS starts the first disk, and /boot is on {}", quote(recipe::disk_name(disk))));
    if (bios && disk.sector_size.value_or(512) != 512)
        refuse("a BIOS starts no disk with sectors of 4096 bytes: use firmware = \"uefi\"");
}

void add_bios_boot(recipe::Disk& disk, std::vector<std::string>& added) {
    if (disk.table != Table::gpt || has_partition(disk, [](const auto& p) { return p.type == Role::bios_boot; }))
        return;
    recipe::Partition partition;
    partition.size = recipe::Size(kBiosBoot);
    partition.type = Role::bios_boot;
    disk.partitions.insert(disk.partitions.begin(), partition);
    added.push_back(fmt::format("a BIOS boot partition of {} on {}", exact(kBiosBoot), recipe::disk_name(disk)));
}

void add_esp(recipe::Recipe& recipe, recipe::Disk& boot_disk, std::vector<std::string>& added) {
    for (auto& disk : recipe.disks) {
        const auto esp = std::find_if(disk.partitions.begin(), disk.partitions.end(), is_esp);
        if (esp == disk.partitions.end())
            continue;
        if (esp->filesystem && esp->filesystem != Filesystem::vfat)
            refuse("the EFI system partition is not vfat");
        if (!esp->mount)
            esp->mount = "/boot/efi";
        return;
    }
    const auto size = boot_disk.sector_size.value_or(512) == 512 ? kEsp : kEspOfLargeSectors;
    recipe::Partition partition;
    partition.size = recipe::Size(size);
    partition.type = Role::esp;
    partition.filesystem = Filesystem::vfat;
    partition.mount = "/boot/efi";
    boot_disk.partitions.insert(boot_disk.partitions.begin(), partition);
    added.push_back(fmt::format("an EFI system partition of {} on {}", exact(size), recipe::disk_name(boot_disk)));
}

// xl gives a firmware the disks that are called hd, and the guest all of them as xvd (xen-vbd-interface(7)).
void name_disks_for_firmware(recipe::Recipe& recipe) {
    std::size_t next = 0;
    const auto is_taken = [&](std::string_view name) {
        return std::any_of(recipe.disks.begin(), recipe.disks.end(),
                           [&](const auto& disk) { return disk.guest == name; });
    };
    for (auto& disk : recipe.disks) {
        if (disk.guest)
            continue;
        while (next < kBiosDisks.size() && is_taken(kBiosDisks[next])) ++next;
        if (next == kBiosDisks.size())
            return;
        disk.guest = kBiosDisks[next];
    }
}

// The console that a person finds: the screen, Xen's, and the serial port, which the last one makes /dev/console.
std::string consoles(const recipe::Recipe& asked, const std::string& architecture) {
    if (recipe::boot_method(asked.boot) == BootMethod::pvgrub)
        return "console=hvc0";
    const bool is_arm = architecture == "arm64" || architecture == "armhf";
    return fmt::format("console=tty0 console=hvc0 console={},115200", is_arm ? "ttyAMA0" : "ttyS0");
}

std::string map_name(Table table) {
    switch (table) {
        case Table::none:
            return "";
        case Table::gpt:
            return "gpt";
        case Table::mbr:
            break;
    }
    return "msdos";
}

partition::BootFilesystem boot_filesystem(const partition::DiskLayout& layout) {
    const auto volumes = layout.volumes();
    const bool has_own = std::ranges::any_of(volumes, [](const auto* volume) { return volume->mount == "/boot"; });
    for (const auto& disk : layout.disks)
        for (const auto& volume : disk.volumes)
            if (volume.mount == (has_own ? "/boot" : "/"))
                return {std::string(name(volume.filesystem)), volume.uuid_text(), map_name(disk.table), volume.number,
                        has_own ? "/grub" : "/boot/grub"};
    return {};
}

void let_root_grow(partition::DiskLayout& layout) {
    for (auto& disk : layout.disks)
        for (auto& volume : disk.volumes) {
            if (volume.mount != "/")
                continue;
            if (&volume != &disk.volumes.back())
                throw error(ErrorKind::recipe, "cannot let root grow: {} lies behind it on {}",
                            quote(disk.volumes.back().name), quote(disk.name));
            if (volume.filesystem == Filesystem::ext2)
                throw error(ErrorKind::recipe, "cannot let root grow: ext2 cannot while it is mounted");
            volume.options += ",x-systemd.growfs";
        }
}

}  // namespace

recipe::Recipe with_boot_partitions(const recipe::Recipe& asked, const std::string& architecture,
                                    std::vector<std::string>& added) {
    auto recipe = asked;
    const auto method = recipe::boot_method(asked.boot);
    if (method == BootMethod::direct)
        return recipe;
    if (asked.system.kernel.path || kernel_package(asked.system, architecture).empty())
        refuse("it starts the guest's own kernel, and the recipe gives it none");
    if (method == BootMethod::pvgrub && partition::bios_platform(architecture).empty())
        refuse(fmt::format("Xen has none for {}", architecture));
    auto boot = place_of(recipe, "/boot");
    if (!boot)
        boot = place_of(recipe, "/");
    if (method == BootMethod::pvgrub || !boot)  // no root: planned_layout() says it
        return recipe;
    check_can_start(recipe, architecture, *boot);
    if (firmware_of(asked) == Firmware::bios)
        add_bios_boot(recipe.disks[boot->disk], added);
    else
        add_esp(recipe, recipe.disks[boot->disk], added);
    name_disks_for_firmware(recipe);
    return recipe;
}

BootPlan planned_boot(const recipe::Recipe& asked, const std::string& architecture, partition::DiskLayout& layout) {
    BootPlan boot;
    boot.method = recipe::boot_method(asked.boot);
    boot.firmware = firmware_of(asked);
    boot.secure_boot = asked.boot.secure_boot;
    boot.timeout = asked.boot.timeout.value_or(kTimeout);
    boot.grow = asked.boot.grow;
    if (boot.grow)
        let_root_grow(layout);
    if (boot.method == BootMethod::direct)
        return boot;
    if (boot.method == BootMethod::grub) {
        boot.platform = platform_of(asked, architecture);
        boot.package = package_of(asked, architecture);
    }
    boot.filesystem = boot_filesystem(layout);
    for (const auto* volume : layout.volumes())
        if (volume->role == Role::esp && boot.firmware == Firmware::uefi)
            boot.esp = volume->mount;
    const auto& extra = asked.system.kernel.cmdline;
    boot.cmdline = fmt::format("{}{}{}", consoles(asked, architecture), extra.empty() ? "" : " ", extra);
    return boot;
}

std::vector<std::string> boot_packages(const recipe::Recipe& asked, const std::string& architecture) {
    std::vector<std::string> packages;
    const auto method = recipe::boot_method(asked.boot);
    if (method == BootMethod::pvgrub)
        packages.emplace_back("grub2-common");  // update-grub, which kernels' scripts call
    if (method == BootMethod::grub)
        packages.push_back(package_of(asked, architecture));
    if (method == BootMethod::grub && asked.boot.secure_boot)
        packages.insert(packages.end(), {packages.back() + "-signed", "shim-signed"});
    if (const auto root = place_of(asked, "/"); asked.boot.grow && root && root->partition)
        packages.emplace_back("fdisk");  // sfdisk
    return packages;
}

}  // namespace vprov::plan
