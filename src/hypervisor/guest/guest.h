// A domain as the hypervisor sees it, with reader and writer of its xl.cfg. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vprov::hypervisor {

enum class GuestType { pv, pvh, hvm };
enum class LifecycleAction { destroy, restart, rename_restart, preserve, coredump_destroy, coredump_restart };
enum class DiskFormat { raw, qcow2, vhd, qed, empty };

struct GuestDisk {
    std::string target;                  // file or block device; "" for an empty CD drive
    DiskFormat format = DiskFormat::raw;
    std::string vdev;                    // "xvda1"
    bool writable = true;
    bool cdrom = false;
    bool operator==(const GuestDisk&) const = default;
};

struct GuestInterface {                  // one vif
    std::string mac;                     // "" : the runtime derives one from the guest's uuid
    std::string bridge;                  // "" : xl's default bridge (xenbr0)
    std::string model;                   // "" : paravirtual
    std::map<std::string, std::string> other;   // ip, rate, script, vifname, ... kept as written
    bool operator==(const GuestInterface&) const = default;
};

struct Guest {
    std::string name;
    std::string uuid;                    // "" when the configuration has none
    GuestType type = GuestType::pv;      // xl's default
    std::string kernel, ramdisk, cmdline;   // cmdline: `cmdline`, or "root=<root> <extra>" of the configuration
    std::uint64_t memory_mib = 128, maxmem_mib = 0;   // maxmem 0: as memory
    unsigned vcpus = 1, maxvcpus = 0;    // maxvcpus 0: as vcpus
    std::vector<GuestDisk> disks;
    std::vector<GuestInterface> interfaces;
    LifecycleAction on_poweroff = LifecycleAction::destroy, on_reboot = LifecycleAction::restart,
                    on_crash = LifecycleAction::destroy;
    std::string boot;                    // hvm: "c", "d", "cn", ...
    bool vnc = false;
    std::string vnclisten;
    bool operator==(const Guest&) const = default;
};

struct ReadGuest {
    Guest guest;
    std::vector<std::string> warnings;   // keys that are not understood, each once: "file:7: 'nics' is not understood"
};

// Reads xl.cfg(5): every string, number and list form of its grammar, disks by xl-disk-configuration(5), vifs by
// xl-network-configuration(5). Throws Error(hypervisor) "FILE:LINE: cannot ...".
ReadGuest read_xl_cfg(std::string_view text, std::string_view file);

// The configuration for xl, every string quoted, every disk with its format. Throws Error(recipe) for a value that
// xl's grammar cannot hold (a quote of both kinds, a newline or control character, a comma in a vif's value).
std::string write_xl_cfg(const Guest& guest);

// [A-Za-z0-9][A-Za-z0-9._+-]* and at most 63 characters.
bool is_valid_guest_name(std::string_view name);

}  // namespace vprov::hypervisor
