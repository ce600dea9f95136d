// A domain as the hypervisor sees it, with reader and writer of its xl.cfg. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace vprov::hypervisor {

enum class GuestType { pv, pvh, hvm };
enum class LifecycleAction { destroy, restart, rename_restart, preserve, coredump_destroy, coredump_restart };
// The last three are QEMU's only: xl refuses them.
enum class DiskFormat { raw, qcow, qcow2, vhd, qed, empty, vmdk, vdi, vhdx };
enum class DiskBackend { automatic, phy, tap, qdisk };
enum class VifType { automatic, vif, ioemu };  // automatic: ioemu for hvm
// What a guest without a kernel of its own begins with. pvgrub is for pv, the other ones for hvm.
enum class Firmware { automatic, bios, seabios, rombios, uefi, pvgrub32, pvgrub64, file };
enum class Screen { automatic, none, standard, cirrus, qxl };  // the emulated card; automatic: the hypervisor's choice

struct GuestDisk {
    std::string target;  // file or block device; "" for an empty CD drive
    DiskFormat format = DiskFormat::raw;
    std::string vdev;  // "xvda1"
    bool writable = true;
    bool cdrom = false;
    DiskBackend backend = DiskBackend::automatic;
    std::string backend_domain = {};   // "" : dom0
    std::string script = {};           // hotplug script: "block-nbd"; "" for the usual one
    std::optional<bool> discard = {};  // none: the backend's choice
    bool direct_io_safe = false;
    unsigned pci_slot = 0;  // QEMU's, of a guest whose devices were changed; 0: the next that is free
    bool operator==(const GuestDisk&) const = default;
};

// A port of this host from which connections are passed to the guest.
struct PortForward {
    bool is_udp = false;
    std::string address = "127.0.0.1";  // of this host, IPv4; 0.0.0.0: all
    unsigned port = 0, guest_port = 0;
    bool operator==(const PortForward&) const = default;
};

struct GuestInterface {                        // one vif
    std::string mac;                           // "" : the runtime derives one from the guest's uuid
    std::string bridge;                        // "" : xl's default bridge (xenbr0)
    std::string model;                         // "" : paravirtual
    std::map<std::string, std::string> other;  // gatewaydev, devid, mtu, ... kept as written
    VifType type = VifType::automatic;
    // As in xl-network-configuration(5); rate: "10Mb/s@50ms".
    std::string ip = {}, rate = {}, script = {}, vifname = {};
    // Of vprov_vif, for QEMU only. With forwards the network is QEMU's user-mode one; with a segment it is one of that
    // name which all guests of this user share, and nobody else. Neither is on the bridge.
    std::vector<PortForward> forwards = {};
    std::string segment = {};
    unsigned pci_slot = 0;  // as a disk's
    bool operator==(const GuestInterface&) const = default;
};

// A key of xl.cfg that has no member below: a string or number, or a list of them.
using GuestOption = std::variant<std::string, std::vector<std::string>>;

struct Guest {
    std::string name;
    std::string uuid;                      // "" when the configuration has none
    GuestType type = GuestType::pv;        // xl's default
    std::string kernel, ramdisk, cmdline;  // cmdline: `cmdline`, or "root=<root> <extra>" of the configuration
    std::uint64_t memory_mib = 128, maxmem_mib = 0;  // maxmem 0: as memory
    unsigned vcpus = 1, maxvcpus = 0;                // maxvcpus 0: as vcpus
    std::vector<GuestDisk> disks;
    std::vector<GuestInterface> interfaces;
    LifecycleAction on_poweroff = LifecycleAction::destroy, on_reboot = LifecycleAction::restart,
                    on_crash = LifecycleAction::destroy;
    std::string boot;  // hvm: "c", "d", "cn", ...
    bool vnc = false;
    std::string vnclisten;  // "" : 127.0.0.1

    std::string hostname;  // what xm put into ip=; xl does not use it
    Firmware firmware = Firmware::automatic;
    std::string firmware_file;  // for Firmware::file
    std::string bootloader;     // "pygrub": finds the kernel on the guest's disk
    std::vector<std::string> bootloader_args;
    std::optional<unsigned> vncdisplay;    // none: the first that is free
    std::optional<bool> vncunused;         // none: xl's default, which is yes
    std::optional<std::string> vncpasswd;  // a secret. "" means no password is wanted
    std::string keymap;                    // "" : en-us
    bool sdl = false;
    Screen screen = Screen::automatic;
    unsigned videoram_mib = 0;  // 0: the hypervisor's choice
    bool usb = false;
    bool agent = false;                        // QEMU's: it has a port for vprov's agent, of vprov_agent
    std::vector<std::string> usbdevices;       // "tablet"
    std::vector<std::string> serial;           // hvm: "pty"
    std::map<std::string, GuestOption> other;  // what of xl.cfg(5) has no member here, by its key
    bool operator==(const Guest&) const = default;
};

// The virtio port of an agent, as the guest knows it.
inline constexpr std::string_view kAgentPort = "org.vprov.0";

struct ReadGuest {
    Guest guest;
    std::vector<std::string> warnings;  // keys that are not understood, each once: "file:7: 'nics' is not understood"
};

// Reads xl.cfg(5): every string, number and list form of its grammar, disks by xl-disk-configuration(5), vifs by
// xl-network-configuration(5). What is not of that grammar is read as the Python that xm read, as far as it is data
// (cfg_python.h), and a warning says so. Throws Error(hypervisor) "FILE:LINE: cannot ...".
ReadGuest read_xl_cfg(std::string_view text, std::string_view file);

// xl: the keys of today. xm: those of Xen 3 and 4.0 (builder, root and extra, "phy:...,hda1,w"), which today's xl reads
// as well, but for a pv guest's `cdrom`.
enum class Dialect { xl, xm };

// The configuration for xl or xm, every string quoted, every disk with its format. Throws Error(recipe) for a value
// that xl's grammar cannot hold (a quote of both kinds, a newline or control character, a comma in a vif's value), and
// for what the old spelling has no words for.
std::string write_xl_cfg(const Guest& guest, Dialect dialect = Dialect::xl);

// The guest as somebody else may see it: without its VNC password.
Guest without_secrets(Guest guest);

// [A-Za-z0-9][A-Za-z0-9._+-]* and at most 63 characters.
bool is_valid_guest_name(std::string_view name);

}  // namespace vprov::hypervisor
