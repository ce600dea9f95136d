// A guest as a QEMU command line. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

enum class Engine { kvm, tcg };

// A file that QEMU is given open. It opens it again, by a name and in the same way: "/dev/fdset/3" for `set` 3.
struct OpenFile {
    int fd = -1;
    unsigned set = 0;
    std::string path;  // what QEMU is told that it is; it is not opened
};
std::string name_in_qemu(unsigned set);

// One image of a disk: its own, or one that this is based on.
struct DiskLayer {
    std::string file;  // as QEMU opens it
    DiskFormat format = DiskFormat::raw;
    bool is_device = false;  // a block device and not a file
    bool operator==(const DiskLayer&) const = default;
};

// Of a root= that names a guest device of Xen. as_given: the initrd makes Xen's names.
enum class RootName { as_given, translated };

// What the host decides. Descriptors are numbers that QEMU finds open when it starts.
struct QemuHost {
    Engine engine = Engine::tcg;
    std::string program = "qemu-system-x86_64";
    int qmp_fd = -1;                             // listening socket
    int monitor_fd = -1;                         // listening socket of a second QMP; -1: none
    int console_fd = -1;                         // listening socket
    int agent_fd = -1;                           // listening socket, for a guest with an agent
    int ram_fd = -1;                             // a file of the guest's memory; -1: QEMU's own memory
    bool ram_is_shared = true;                   // false: what the guest writes does not get into that file
    bool incoming = false;                       // the guest's state comes by the monitor
    int vnc_password_fd = -1;                    // a file that holds it; -1: VNC asks for none
    std::string uefi_code, uefi_variables;       // files, for a guest whose firmware is UEFI
    std::vector<OpenFile> files;                 // what `layers` and the firmware's names stand for
    std::vector<std::vector<DiskLayer>> layers;  // per disk, what it is based on last; missing: its target, a file
    std::string kernel, ramdisk;                 // as QEMU opens them; "" : by the guest's own names
    RootName root = RootName::translated;
    bool sandbox = true;                      // false: no system calls are forbidden
    std::vector<std::optional<int>> tap_fds;  // per interface: its tap; nullopt or missing: user-mode networking
};

// QEMU starts stopped (-S) and pauses where the guest powers off, resets or panics, so that its supervisor decides.
// pv and pvh are booted from kernel and ramdisk on the same PC that hvm has. Throws Error(hypervisor) for a device that
// QEMU does not have: "cannot give 'debian1' the disk 'hde': ...".
std::vector<std::string> qemu_argv(const Guest& guest, const QemuHost& host);

// The kernel command line that the guest gets in QEMU: console=ttyS0 is the last console, and a root= that names a
// guest device of Xen (xvda1, hda1) names what that disk is called here (vda, ...), unless the initrd makes Xen's
// names. Words behind "--" are init's and stay last.
std::string qemu_cmdline(const Guest& guest, RootName root = RootName::translated);

// guest.uuid, or one made from the name, the same every time.
std::string guest_uuid(const Guest& guest);

// The interface's own MAC address, or one in Xen's range 00:16:3e made from the guest's uuid, the same every time.
std::string interface_mac(const Guest& guest, std::size_t index);

}  // namespace vprov::hypervisor
