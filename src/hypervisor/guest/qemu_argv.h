// A guest as a QEMU command line. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

enum class Engine { kvm, tcg };

// What the host decides. Descriptors are numbers that QEMU finds open when it starts.
struct QemuHost {
    Engine engine = Engine::tcg;
    std::string program = "qemu-system-x86_64";
    int qmp_fd = -1;                          // listening socket
    int monitor_fd = -1;                      // listening socket of a second QMP; -1: none
    int console_fd = -1;                      // listening socket
    int ram_fd = -1;                          // a file of the guest's memory; -1: QEMU's own memory
    bool incoming = false;                    // the guest's state comes by the monitor
    int vnc_password_fd = -1;                 // a file that holds it; -1: VNC asks for none
    int initrd_fd = -1;                       // the guest's ramdisk and what was appended to it; -1: as it is
    std::string uefi_code, uefi_variables;    // files, for a guest whose firmware is UEFI
    std::vector<bool> disk_is_device;         // per disk: a block device and not a file; missing: a file
    std::vector<std::optional<int>> tap_fds;  // per interface: its tap; nullopt or missing: user-mode networking
};

// QEMU starts stopped (-S) and pauses where the guest powers off, resets or panics, so that its supervisor decides.
// pv and pvh are booted from kernel and ramdisk on the same PC that hvm has. Throws Error(hypervisor) for a device that
// QEMU does not have: "cannot give 'debian1' the disk 'hde': ...".
std::vector<std::string> qemu_argv(const Guest& guest, const QemuHost& host);

// The kernel command line that the guest gets in QEMU: console=ttyS0 is the last console, and a root= that names a
// guest device of Xen (xvda1, hda1) names what that disk is called here (vda, ...), unless the initrd makes Xen's
// names. Words behind "--" are init's and stay last.
enum class RootName { as_given, translated };
std::string qemu_cmdline(const Guest& guest, RootName root = RootName::translated);

// guest.uuid, or one made from the name, the same every time.
std::string guest_uuid(const Guest& guest);

// The interface's own MAC address, or one in Xen's range 00:16:3e made from the guest's uuid, the same every time.
std::string interface_mac(const Guest& guest, std::size_t index);

}  // namespace vprov::hypervisor
