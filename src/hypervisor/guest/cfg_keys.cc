#include "hypervisor/guest/cfg_keys.h"

#include <algorithm>

namespace vprov::hypervisor {
namespace {

constexpr std::array<std::string_view, 23> kUsed = {
    "name",  "uuid",        "type",      "builder",  "pvh",   "kernel",   "ramdisk",  "root",
    "extra", "cmdline",     "memory",    "maxmem",   "vcpus", "maxvcpus", "disk",     "vif",
    "vfb",   "on_poweroff", "on_reboot", "on_crash", "boot",  "vnc",      "vnclisten"};

constexpr std::array kIgnored = std::to_array<std::string_view>({"acpi",
                                                                 "acpi_s3",
                                                                 "acpi_s4",
                                                                 "apic",
                                                                 "autoballoon",
                                                                 "bios",
                                                                 "cap",
                                                                 "claim_mode",
                                                                 "cpu_weight",
                                                                 "cpuid",
                                                                 "cpus",
                                                                 "cpus_soft",
                                                                 "device_model_override",
                                                                 "device_model_version",
                                                                 "driver_domain",
                                                                 "e820_host",
                                                                 "hap",
                                                                 "hpet",
                                                                 "hdtype",
                                                                 "keymap",
                                                                 "localtime",
                                                                 "max_event_channels",
                                                                 "max_grant_frames",
                                                                 "max_maptrack_frames",
                                                                 "monitor",
                                                                 "nestedhvm",
                                                                 "nographic",
                                                                 "numa_placement",
                                                                 "nx",
                                                                 "on_soft_reset",
                                                                 "on_watchdog",
                                                                 "pae",
                                                                 "passthrough",
                                                                 "pool",
                                                                 "sdl",
                                                                 "serial",
                                                                 "shadow_memory",
                                                                 "stdvga",
                                                                 "suppress_spurious_page_faults",
                                                                 "timer_mode",
                                                                 "tsc_mode",
                                                                 "usb",
                                                                 "usbdevice",
                                                                 "vga",
                                                                 "videoram",
                                                                 "viridian",
                                                                 "vncconsole",
                                                                 "vncdisplay",
                                                                 "vncunused",
                                                                 "vncviewer",
                                                                 "vuart",
                                                                 "xen_platform_pci",
                                                                 "xend_suspend_evtchn_compat",
                                                                 "seclabel",
                                                                 "init_seclabel",
                                                                 "rtc_timeoffset",
                                                                 "vpt_align",
                                                                 "altp2m",
                                                                 "nomigrate"});

}  // namespace

const std::array<std::pair<std::string_view, LifecycleAction>, 6> kActionNames = {
    {{"destroy", LifecycleAction::destroy},
     {"restart", LifecycleAction::restart},
     {"rename-restart", LifecycleAction::rename_restart},
     {"preserve", LifecycleAction::preserve},
     {"coredump-destroy", LifecycleAction::coredump_destroy},
     {"coredump-restart", LifecycleAction::coredump_restart}}};

std::span<const std::string_view> used_cfg_keys() {
    return kUsed;
}

bool is_ignored_cfg_key(std::string_view key) {
    return std::find(kIgnored.begin(), kIgnored.end(), key) != kIgnored.end();
}

std::string_view action_name(LifecycleAction action) {
    for (const auto& [name, value] : kActionNames)
        if (value == action)
            return name;
    return "?";
}

}  // namespace vprov::hypervisor
