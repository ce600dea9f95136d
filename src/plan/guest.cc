#include "base/error.h"
#include "plan/plan.h"

namespace vprov::plan {
namespace {

constexpr std::uint64_t mib(Bytes size) {
    return size.value >> 20;
}

hypervisor::GuestType type_of(recipe::DomainType type) {
    switch (type) {
        case recipe::DomainType::pv:
            return hypervisor::GuestType::pv;
        case recipe::DomainType::pvh:
            return hypervisor::GuestType::pvh;
        case recipe::DomainType::hvm:
            return hypervisor::GuestType::hvm;
    }
    throw error(ErrorKind::internal, "internal error: cannot plan domain type {}", static_cast<int>(type));
}

hypervisor::LifecycleAction action_of(recipe::Action action) {
    using hypervisor::LifecycleAction;
    switch (action) {
        case recipe::Action::destroy:
            return LifecycleAction::destroy;
        case recipe::Action::restart:
            return LifecycleAction::restart;
        case recipe::Action::rename_restart:
            return LifecycleAction::rename_restart;
        case recipe::Action::preserve:
            return LifecycleAction::preserve;
        case recipe::Action::coredump_destroy:
            return LifecycleAction::coredump_destroy;
        case recipe::Action::coredump_restart:
            return LifecycleAction::coredump_restart;
    }
    throw error(ErrorKind::internal, "internal error: cannot plan action {}", static_cast<int>(action));
}

void set_loader(hypervisor::Guest& guest, const Plan& plan) {
    if (plan.boot.method == recipe::BootMethod::grub) {
        guest.boot = "c";
        guest.serial = {"pty"};  // the last console= of its kernels
        if (plan.boot.firmware == recipe::Firmware::uefi)
            guest.firmware = hypervisor::Firmware::uefi;
        return;
    }
    const auto& asked = plan.recipe.boot.loader;
    const bool is_pvh = guest.type == hypervisor::GuestType::pvh;
    guest.kernel = asked    ? recipe::host_path(plan.recipe, *asked).string()
                   : is_pvh ? "/usr/lib/grub-xen/grub-i386-xen_pvh.bin"
                            : "/usr/lib/grub-xen/grub-x86_64-xen.bin";
}

// nullopt for what neither Xen nor its configuration knows.
std::optional<hypervisor::DiskFormat> format_of(partition::ImageFormat format) {
    if (format == partition::ImageFormat::raw)
        return hypervisor::DiskFormat::raw;
    return format == partition::ImageFormat::qcow2 ? std::optional(hypervisor::DiskFormat::qcow2) : std::nullopt;
}

void set_kernel(hypervisor::Guest& guest, const Plan& plan) {
    if (plan.boot.method != recipe::BootMethod::direct)
        return set_loader(guest, plan);
    const auto& asked = plan.recipe.system.kernel;
    guest.cmdline = plan.kernel_cmdline;
    if (asked.path) {
        guest.kernel = recipe::host_path(plan.recipe, *asked.path);
        guest.ramdisk = asked.initrd ? recipe::host_path(plan.recipe, *asked.initrd).string() : "";
    } else if (!plan.kernel_package.empty()) {
        guest.kernel = plan.output / "vmlinuz";
        guest.ramdisk = plan.output / "initrd.img";
    }
}

void set_screen(hypervisor::Guest& guest, const recipe::Domain& domain) {
    const auto& vnc = domain.vnc;
    guest.vnc = vnc.enabled;
    if (vnc.enabled) {
        guest.vnclisten = vnc.listen.value_or("127.0.0.1");
        guest.vncdisplay = vnc.display;
        guest.keymap = vnc.keymap.value_or("");
    }
    guest.sdl = domain.sdl;
    guest.screen = domain.vga;
    guest.videoram_mib = domain.videoram;
    guest.usb = domain.usb_tablet;
    if (domain.usb_tablet)
        guest.usbdevices = {"tablet"};
    if (!domain.serial.empty())
        if (!domain.serial.empty())
            guest.serial = domain.serial;
}

void set_size(hypervisor::Guest& guest, const recipe::Domain& domain) {
    guest.memory_mib = mib(domain.memory);
    guest.maxmem_mib = domain.maxmem ? mib(*domain.maxmem) : 0;
    guest.vcpus = domain.vcpus;
    guest.maxvcpus = domain.maxvcpus.value_or(0);
}

hypervisor::GuestInterface vif_of(const Interface& interface) {
    hypervisor::GuestInterface vif{interface.mac, interface.bridge, interface.model, {}};
    vif.type = interface.type;
    vif.ip = interface.ip;
    vif.rate = interface.rate;
    vif.script = interface.script;
    vif.vifname = interface.vifname;
    return vif;
}

}  // namespace

hypervisor::Guest guest_of(const Plan& plan) {
    const auto& domain = plan.recipe.domain;
    hypervisor::Guest guest;
    guest.name = plan.name;
    guest.uuid = plan.guest_uuid;
    guest.hostname = plan.recipe.identity.hostname.value_or("");
    guest.type = type_of(recipe::domain_type(plan.recipe));
    set_kernel(guest, plan);
    guest.bootloader = domain.bootloader.value_or("");
    guest.bootloader_args = domain.bootloader_args;
    guest.firmware_file = domain.firmware_file;
    guest.firmware = domain.firmware.value_or(guest.firmware);
    guest.boot = domain.boot.value_or(guest.boot);
    set_size(guest, domain);
    for (const auto& disk : plan.layout.disks) {
        const auto format = format_of(disk.format);
        if (!format)
            continue;
        hypervisor::GuestDisk given;
        given.format = *format;
        given.target = disk.device.empty() ? (plan.output / disk.image).string() : disk.device;
        given.vdev = disk.guest;
        guest.disks.push_back(std::move(given));
    }
    attach_disks(guest, plan.recipe);
    for (const auto& interface : plan.interfaces)
        if (!interface.vlan)  // a VLAN is made in the guest
            guest.interfaces.push_back(vif_of(interface));
    set_screen(guest, domain);
    guest.on_poweroff = action_of(domain.on_poweroff);
    guest.on_reboot = action_of(domain.on_reboot);
    guest.on_crash = action_of(domain.on_crash);
    guest.agent = plan.recipe.system.agent;
    guest.other = domain.xl;
    return guest;
}

}  // namespace vprov::plan
