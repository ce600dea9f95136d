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

void set_kernel(hypervisor::Guest& guest, const Plan& plan) {
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
        if (vnc.display)
            guest.vncunused = false;  // xl would take the next one that is free
        guest.keymap = vnc.keymap.value_or("");
    }
    guest.sdl = domain.sdl;
    guest.screen = domain.vga;
    guest.usb = domain.usb_tablet;
    if (domain.usb_tablet)
        guest.usbdevices = {"tablet"};
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
    guest.firmware = domain.firmware.value_or(hypervisor::Firmware::automatic);
    guest.boot = domain.boot.value_or("");
    set_size(guest, domain);
    for (const auto& disk : plan.layout.disks) {
        hypervisor::GuestDisk given;
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
    guest.other = domain.xl;
    return guest;
}

}  // namespace vprov::plan
