#include "hypervisor/guest/cfg_keys.h"

#include <algorithm>
#include <array>

namespace vprov::hypervisor {
namespace {

constexpr auto kUsed =
    std::to_array<std::string_view>({"name",      "uuid",       "type",    "builder",     "pvh",
                                     "hostname",  "kernel",     "ramdisk", "root",        "extra",
                                     "cmdline",   "firmware",   "bios",    "bootloader",  "bootloader_args",
                                     "memory",    "maxmem",     "vcpus",   "maxvcpus",    "disk",
                                     "cdrom",     "vif",        "vfb",     "on_poweroff", "on_reboot",
                                     "on_crash",  "boot",       "vnc",     "vnclisten",   "vncdisplay",
                                     "vncunused", "vncpasswd",  "keymap",  "sdl",         "vga",
                                     "stdvga",    "videoram",   "usb",     "usbdevice",   "serial",
                                     "vprov_vif", "vprov_agent"});

constexpr auto kIgnored = std::to_array<std::string_view>({"acpi",
                                                           "acpi_s3",
                                                           "acpi_s4",
                                                           "altp2m",
                                                           "apic",
                                                           "autoballoon",
                                                           "cap",
                                                           "claim_mode",
                                                           "cpu_weight",
                                                           "cpuid",
                                                           "cpus",
                                                           "cpus_soft",
                                                           "device_model_override",
                                                           "device_model_user",
                                                           "device_model_version",
                                                           "dm_restrict",
                                                           "driver_domain",
                                                           "e820_host",
                                                           "hap",
                                                           "hdtype",
                                                           "hpet",
                                                           "init_seclabel",
                                                           "localtime",
                                                           "max_event_channels",
                                                           "max_grant_frames",
                                                           "max_grant_version",
                                                           "max_maptrack_frames",
                                                           "mmio_hole",
                                                           "monitor",
                                                           "nographic",
                                                           "nomigrate",
                                                           "numa_placement",
                                                           "nx",
                                                           "on_soft_reset",
                                                           "on_watchdog",
                                                           "oos",
                                                           "opengl",
                                                           "pae",
                                                           "passthrough",
                                                           "pool",
                                                           "rtc_timeoffset",
                                                           "seclabel",
                                                           "shadow_memory",
                                                           "suppress_spurious_page_faults",
                                                           "timer_mode",
                                                           "tsc_mode",
                                                           "viridian",
                                                           "vmtrace_buf_kb",
                                                           "vncconsole",
                                                           "vpmu",
                                                           "vpt_align",
                                                           "vuart",
                                                           "xen_platform_pci",
                                                           "xend_suspend_evtchn_compat"});

constexpr auto kLost = std::to_array<std::string_view>({"acpi_firmware",
                                                        "acpi_laptop_slate",
                                                        "altp2mhvm",
                                                        "bios_path_override",
                                                        "channel",
                                                        "device_model_args",
                                                        "device_model_args_hvm",
                                                        "device_model_args_pv",
                                                        "device_model_stubdomain_override",
                                                        "device_model_stubdomain_seclabel",
                                                        "device_tree",
                                                        "dtdev",
                                                        "gfx_passthru",
                                                        "gic_version",
                                                        "iomem",
                                                        "ioports",
                                                        "irqs",
                                                        "mca_caps",
                                                        "ms_vm_genid",
                                                        "msr_relaxed",
                                                        "nestedhvm",
                                                        "p9",
                                                        "pci",
                                                        "pci_msitranslate",
                                                        "pci_permissive",
                                                        "pci_power_mgmt",
                                                        "pci_seize",
                                                        "pvcalls",
                                                        "pvshim",
                                                        "pvshim_cmdline",
                                                        "pvshim_extra",
                                                        "pvshim_path",
                                                        "rdm",
                                                        "rdm_mem_boundary",
                                                        "smbios_firmware",
                                                        "soundhw",
                                                        "spice",
                                                        "spice_clipboard_sharing",
                                                        "spice_image_compression",
                                                        "spice_streaming_video",
                                                        "spiceagent_mouse",
                                                        "spicedisable_ticketing",
                                                        "spicehost",
                                                        "spicepasswd",
                                                        "spiceport",
                                                        "spicetls_port",
                                                        "spiceusbredirection",
                                                        "spicevdagent",
                                                        "stubdomain_cmdline",
                                                        "stubdomain_kernel",
                                                        "stubdomain_memory",
                                                        "stubdomain_ramdisk",
                                                        "tee",
                                                        "usbctrl",
                                                        "usbdev",
                                                        "usbversion",
                                                        "vdispl",
                                                        "vendor_device",
                                                        "vkb",
                                                        "vkb_device",
                                                        "vnuma",
                                                        "vsnd",
                                                        "vtpm"});

constexpr auto kLeftovers = std::to_array<std::string_view>({"device_model", "vncviewer"});

bool is_in(std::span<const std::string_view> keys, std::string_view key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

std::span<const std::string_view> used_cfg_keys() {
    return kUsed;
}

bool is_kept_cfg_key(std::string_view key) {
    return is_in(kIgnored, key) || is_in(kLost, key);
}

bool is_ignored_by_qemu(std::string_view key) {
    return is_in(kIgnored, key);
}

bool is_leftover_of_xm(std::string_view key) {
    return is_in(kLeftovers, key);
}

}  // namespace vprov::hypervisor
