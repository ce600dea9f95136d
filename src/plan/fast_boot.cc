#include "plan/fast_boot.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace vprov::plan {
namespace {
using partition::Filesystem;

[[noreturn]] void refuse(std::string_view cause) {
    throw error(ErrorKind::recipe, "cannot boot the guest fast ([system] boot): {}", cause);
}

// What it is found by in src/guest-init/root.c.
bool can_be_found(std::string_view root) {
    constexpr std::array<std::string_view, 4> kTags = {"UUID=", "LABEL=", "PARTUUID=", "PARTLABEL="};
    if (std::ranges::any_of(kTags, [&](auto tag) { return root.starts_with(tag); }))
        return true;
    return root.starts_with("/dev/") && !root.starts_with("/dev/mapper/") && !root.starts_with("/dev/md");
}

bool can_be_mounted(Filesystem filesystem) {
    constexpr std::array kKnown = {Filesystem::ext2, Filesystem::ext3, Filesystem::ext4, Filesystem::xfs,
                                   Filesystem::btrfs};
    return std::ranges::find(kKnown, filesystem) != kKnown.end();
}

bool has_screen(const recipe::Recipe& asked) {
    return asked.domain.vnc.enabled || asked.domain.sdl || asked.domain.vga != hypervisor::Screen::automatic ||
           recipe::domain_type(asked) == recipe::DomainType::hvm;
}

bool installs(const Plan& plan, std::string_view package) {
    return std::ranges::find(plan.include, package) != plan.include.end();
}

std::vector<std::string> sorted(std::vector<std::string> list) {
    std::ranges::sort(list);
    return list;
}

}  // namespace

void check_fast_boot(const Plan& plan) {
    const auto& asked = plan.recipe;
    if (!boots_fast(asked))
        return;
    if (plan.boot.method != recipe::BootMethod::direct)
        refuse("GRUB loads the guest's own initrd; leave [boot] method \"direct\"");
    if (plan.architecture != "amd64")
        refuse(fmt::format("the small initrd is made for amd64, and the guest is {}", plan.architecture));
    if (asked.system.kernel.path || plan.kernel_package.empty())
        refuse("the small initrd takes the modules of the guest's own kernel, and the recipe gives it none");
    if (!can_be_mounted(plan.layout.root().filesystem))
        refuse(fmt::format("the small initrd mounts ext2, ext3, ext4, xfs and btrfs, and root is {}",
                           name(plan.layout.root().filesystem)));
    if (const auto& root = asked.domain.root; root && !can_be_found(*root))
        refuse(fmt::format("the small initrd does not find {}, [domain] root", quote(*root)));
    for (const auto* volume : plan.layout.volumes())
        if (volume->mount == "/usr")
            refuse("/usr is a file system of its own, and the small initrd mounts root only");
}

std::vector<std::string> units_switched_off(const Plan& plan) {
    if (!boots_fast(plan.recipe))
        return {};
    std::vector<std::string> units = {
        "dev-hugepages.mount",
        "sys-fs-fuse-connections.mount",
        "sys-kernel-config.mount",
        "sys-kernel-debug.mount",
        "sys-kernel-tracing.mount",
        "systemd-pstore.service",    // the hypervisor keeps no crash records
        "systemd-repart.service",    // and loads the modules of loop devices and the device mapper
        "systemd-sysusers.service",  // packages' scripts make their accounts when they are installed
        "systemd-update-utmp-runlevel.service",
        "systemd-update-utmp.service"  // for runlevel(8), and last(1)'s reboots
    };
    if (!installs(plan, "lvm2"))
        units.insert(units.end(), {"e2scrub_all.timer", "e2scrub_reap.service"});
    if (!has_screen(plan.recipe))
        units.insert(units.end(), {"getty-static.service", "getty@tty1.service", "modprobe@drm.service"});
    return sorted(std::move(units));
}

std::vector<std::string> generators_switched_off(const Plan& plan) {
    if (!boots_fast(plan.recipe))
        return {};
    std::vector<std::string> generators = {"systemd-gpt-auto-generator", "systemd-hibernate-resume-generator",
                                           "systemd-integritysetup-generator", "systemd-system-update-generator",
                                           "systemd-veritysetup-generator"};
    if (!installs(plan, "cryptsetup"))
        generators.emplace_back("systemd-cryptsetup-generator");
    return sorted(std::move(generators));
}

std::vector<std::string> modules_left_out(const Plan& plan) {
    if (!boots_fast(plan.recipe) || has_screen(plan.recipe))
        return {};
    const auto guest = guest_of(plan);
    std::vector<std::string> modules = {"psmouse", "serio_raw"};
    const bool has_drives = std::ranges::any_of(guest.disks, [](const auto& disk) { return disk.cdrom; });
    if (!has_drives)  // of the chipset, which has a controller all the same
        modules.insert(modules.end(), {"ata_generic", "ata_piix", "pata_acpi"});
    return sorted(std::move(modules));
}

}  // namespace vprov::plan
