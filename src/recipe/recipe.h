// A recipe as it was written: every key typed and checked on its own, nothing derived yet. vprov-recipe(5).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "hypervisor/guest/guest.h"
#include "partition/layout/layout.h"

namespace vprov::recipe {

enum class Variant { essential, minbase, buildd, standard };

struct Repository {  // [[system.repository]]
    std::string uri, suite;
    std::vector<std::string> components = {"main"};
    std::optional<std::filesystem::path> signed_by;
    bool trusted = false;
    bool check_valid_until = true, allow_weak_digests = false;
    std::string embedded_key;                // armoured, of a deb822 source, in place of signed_by
    std::vector<std::string> architectures;  // none: all of the guest's
};

struct Kernel {                                         // [system.kernel]
    std::optional<std::string> package;                 // "" means: no kernel in the guest
    std::string cmdline;                                // added to what vprov needs
    std::optional<std::filesystem::path> path, initrd;  // files of the host instead of the guest's own
};

// How the guest's fstab names file systems.
enum class MountBy { uuid, label, partuuid, device };

// fast: with a small initrd of vprov's, and without units of systemd that a guest seldom needs.
enum class BootSpeed { ordinary, fast };

struct System {                           // [system]
    std::string distribution = "debian";  // "none": see installs_nothing()
    std::string suite = "bookworm";
    std::optional<std::string> arch;  // the host's when not given
    std::vector<std::string> foreign_architectures;
    Variant variant = Variant::standard;
    std::optional<std::string> mirror, security_mirror;
    std::vector<std::string> components = {"main"};
    std::vector<std::string> sources;  // files of apt sources, or lines of them: instead of mirror and components
    std::vector<std::string> include, exclude;
    bool recommends = false, updates = true, security = true;
    bool scripts_network = false;                               // packages' scripts see the host's network
    bool check_valid_until = true, allow_weak_digests = false;  // of the distribution's own repositories
    std::optional<std::filesystem::path> keyring;
    std::vector<std::filesystem::path> debs;           // .debs of this host, installed besides `include`
    std::vector<std::string> debconf;                  // lines as debconf-set-selections(1) takes them, no passwords
    std::vector<std::filesystem::path> debconf_files;  // files of such lines
    std::optional<std::filesystem::path> ca_certificates;  // of HTTPS mirrors; the host's when not given
    std::vector<Repository> repositories;
    Kernel kernel;
    MountBy fstab = MountBy::uuid;
    BootSpeed boot = BootSpeed::ordinary;
    bool agent = false;  // by which clones of the running guest get their identity
};

// How a password is given; never in clear. Exactly one way.
struct Password {
    enum class Source { hash, hash_file, environment, random };  // a hash is one of crypt(5), checked
    Source source = Source::random;
    std::string value;  // the hash, the file that holds it, or the variable that holds the password
    bool operator==(const Password&) const = default;
};

enum class Sudo { none, with_password, without_password };

struct User {  // [[identity.user]]
    std::string name;
    std::vector<std::string> groups;
    Sudo sudo = Sudo::none;
    std::optional<Password> password;  // none: locked
    std::vector<std::string> authorized_keys;
    std::vector<std::filesystem::path> authorized_keys_files;
    std::optional<std::uint32_t> uid, gid;  // gid: of the group of the same name; the uid when not given
    std::string shell = "/bin/bash";
    std::optional<std::string> home;  // "/home/NAME" when not given
    std::string gecos;
};

enum class NetworkRenderer { automatic, ifupdown, networkd, netplan, none };

struct Identity {                         // [identity]
    std::optional<std::string> hostname;  // the recipe's name when not given
    std::optional<std::string> domain, timezone, locale, keyboard;
    std::vector<std::string> locales;  // made besides `locale`
    std::optional<std::string> keyboard_variant, keyboard_model, keyboard_options;
    NetworkRenderer network_renderer = NetworkRenderer::automatic;
    std::optional<Password> root_password;  // none: locked
    std::vector<std::string> authorized_keys;
    std::vector<std::filesystem::path> authorized_keys_files;
    std::optional<std::filesystem::path> ssh_host_keys;  // directory with ssh_host_*_key; none: new ones
    bool is_template = false;                            // what only one machine may have is made at first boot
    std::vector<User> users;
};

using partition::Filesystem;
using partition::Flag;
using partition::ImageFormat;
using partition::Role;
using partition::Sizing;
using partition::Table;

struct Size {  // "2G", "rest" or "auto"
    Size(Bytes size) : bytes(size) {}
    Size(Sizing how) : sizing(how) {}
    Sizing sizing = Sizing::fixed;
    Bytes bytes;  // of a fixed one
    bool operator==(const Size&) const = default;
};

struct Partition {                    // [[disk.partition]]
    std::optional<std::string> name;  // see volume_name(); a GPT keeps it
    std::optional<Size> size;
    std::optional<Bytes> room;  // free space of size "auto"
    std::optional<Role> type;   // by the file system when not given
    std::optional<Filesystem> filesystem;
    std::optional<std::string> mount, label, options;  // as of a disk
    std::optional<std::int64_t> dump, pass;
    std::optional<std::string> uuid, partuuid;
    std::vector<Flag> flags;
    std::optional<bool> logical;  // of an MBR
};

struct Disk {                         // [[disk]]
    std::optional<std::string> name;  // file name stem; see disk_name()
    std::optional<Size> size;
    std::optional<Bytes> room;
    std::optional<Filesystem> filesystem;
    std::optional<std::string> mount;  // "/", "/home"; none for swap
    std::optional<std::string> label;
    std::optional<std::string> options;  // for fstab; the plan has the defaults
    std::optional<std::int64_t> dump, pass;
    std::optional<std::string> uuid;
    std::optional<std::string> guest;   // "xvda1"
    std::optional<std::string> device;  // block device of the host, an absolute path
    ImageFormat format = ImageFormat::raw;
    bool overlay = false;  // in qcow2, on a base that guests share
    Table table = Table::none;
    std::optional<std::string> table_uuid;
    std::optional<std::uint32_t> sector_size;
    std::vector<Partition> partitions;
};

struct Mount {  // [[mount]]: a line of fstab that belongs to no disk
    std::string source, target, filesystem;
    std::string options = "defaults";
};

struct Network {  // [[network]]
    std::optional<std::string> bridge;
    std::optional<std::string> mac;               // lower case
    std::vector<std::string> address = {"dhcp"};  // "dhcp", "dhcp4", "dhcp6", "slaac", "none" or CIDRs
    std::vector<std::string> gateway;             // one a family at most
    std::vector<std::string> dns, search;
    std::optional<std::string> name;    // in the guest; see plan::Interface
    std::optional<unsigned> mtu, vlan;  // vlan: 802.1Q, on top of `parent`
    std::optional<std::string> parent;  // name of a network without vlan; the one before when not given
    hypervisor::VifType type = hypervisor::VifType::automatic;
    std::optional<std::string> model, ip, rate, script, vifname;  // of xl-network-configuration(5)
};

// When files are written and scripts run. before_scripts: the essential packages are configured and no other is, as for
// mmdebstrap's essential hooks; at_end: all packages are, as for its customize hooks.
enum class Moment { before_scripts, at_end };

struct AddedFile {  // [[file]]
    std::string path;
    std::optional<std::string> content;           // exactly one of these two
    std::optional<std::filesystem::path> source;  // a file of the host
    std::optional<unsigned> mode;                 // 0644 when not given, or 0755 for an executable source
    std::string owner = "root", group;            // names or numbers of the guest; group "": the owner's
    Moment stage = Moment::at_end;
};

struct AddedDirectory {  // [[directory]]
    std::string path;
    std::optional<std::filesystem::path> source;  // a directory of the host, copied with all below it
    std::optional<unsigned> mode;                 // 0755 when not given, or that of `source`
    std::string owner = "root", group;            // of all that is copied, too
};

struct Hook {                                   // [[hook]]
    std::optional<std::string> name;            // of its log
    std::optional<std::string> script;          // exactly one of these two
    std::optional<std::filesystem::path> file;  // of the host
    Moment stage = Moment::at_end;
};

constexpr std::string_view kMacByHypervisor = "auto";  // a MAC address of a guest in which nothing is installed

// direct: the hypervisor loads a kernel and an initrd of the host's. grub: from the guest's disk, by a firmware.
// pvgrub: from the guest's disk, by a GRUB that Xen loads as the guest's kernel.
enum class BootMethod { direct, grub, pvgrub };
enum class Firmware { bios, uefi };

struct Boot {                                     // [boot]
    std::optional<BootMethod> method;             // see boot_method()
    std::optional<Firmware> firmware;             // of method grub; bios when not given
    bool secure_boot = false;                     // with GRUB and shim as Debian signed them
    std::optional<unsigned> timeout;              // seconds; the plan has the default
    bool grow = false;                            // root, with the disk that it is on, whenever the guest starts
    std::optional<std::filesystem::path> loader;  // of method pvgrub: a file of the host that runs the guest
};

// The one that is given; else grub where a firmware is, and direct.
BootMethod boot_method(const Boot& boot);

enum class DomainType { pv, pvh, hvm };
enum class Action { destroy, restart, rename_restart, preserve, coredump_destroy, coredump_restart };

// How the password of a screen is given: it is needed in clear, and has 8 characters at most. Exactly one way.
struct ScreenPassword {
    enum class Source { file, environment, random };
    Source source = Source::random;
    std::string value;  // the file that holds it, or the variable
    bool operator==(const ScreenPassword&) const = default;
};

struct Vnc {  // [domain] vnc
    bool enabled = false;
    std::optional<std::string> listen;  // an address; the loopback when not given
    std::optional<unsigned> display;    // the first that is free when not given
    std::optional<std::string> keymap;
    std::optional<ScreenPassword> password;
};

// A disk that is there already, and that nothing is written to while building.
struct DomainDisk {                             // [[domain.disk]]
    std::optional<std::filesystem::path> path;  // none: an empty CD drive
    std::optional<std::string> guest;           // the plan has the default
    hypervisor::DiskFormat format = hypervisor::DiskFormat::raw;
    bool readonly = false, cdrom = false;
    hypervisor::DiskBackend backend = hypervisor::DiskBackend::automatic;
    std::optional<std::string> script;  // with one, path is whatever it understands
    std::optional<bool> discard;
};

enum class Libvirt { none, xen, kvm, qemu };  // the type of its <domain>

struct Domain {                      // [domain]
    std::optional<DomainType> type;  // pvh when not given, hvm for a guest that a firmware starts
    Bytes memory = 512_MiB;
    std::optional<Bytes> maxmem;
    unsigned vcpus = 2;
    std::optional<unsigned> maxvcpus;
    Action on_poweroff = Action::destroy, on_reboot = Action::restart, on_crash = Action::destroy;
    std::optional<std::string> root, extra;  // of the kernel's command line; the plan has the defaults
    std::optional<std::string> uuid;         // derived from the seed when not given
    std::optional<std::string> bootloader;
    std::vector<std::string> bootloader_args;
    std::optional<hypervisor::Firmware> firmware;
    std::string firmware_file;        // for Firmware::file
    std::optional<std::string> boot;  // "cd"
    std::vector<std::string> cdrom;   // files or devices of the host; "" is an empty drive
    std::vector<DomainDisk> disks;
    Vnc vnc;
    bool sdl = false, usb_tablet = false;
    hypervisor::Screen vga = hypervisor::Screen::automatic;
    unsigned videoram = 0;  // MiB; 0: the hypervisor's choice
    std::vector<std::string> serial;
    Libvirt libvirt = Libvirt::none;
    std::map<std::string, hypervisor::GuestOption> xl;  // keys of xl.cfg(5) that have none here
};

struct ListedGuest {  // [[guest]]
    std::string name;
    std::optional<std::string> hostname;  // the name when not given
    std::vector<std::string> address;     // CIDRs; empty: the recipe's
    std::optional<std::string> mac;
};

struct NumberedGuests {  // [guests]
    unsigned count = 0, first = 1;
    std::string name;             // "web%02d"
    std::string addresses, macs;  // see address_range.h; "" : none
};

struct Recipe {
    std::filesystem::path file;  // where it was read from; relative paths in it start at its directory
    std::string name;
    std::optional<std::string> seed;  // what derived UUIDs and MACs start from; the name when not given
    System system;
    Identity identity;
    std::vector<Disk> disks;
    std::vector<Mount> mounts;
    std::vector<Network> networks;
    std::vector<AddedDirectory> directories;
    std::vector<AddedFile> files;
    std::vector<Hook> hooks;
    Boot boot;
    Domain domain;
    std::vector<ListedGuest> listed_guests;
    NumberedGuests numbered_guests;  // count 0: none
};

// Whether the recipe only describes a domain: no package is installed, and no disk is made.
bool installs_nothing(const Recipe& recipe);

// The disk's name, or else "root" for "/", "swap" for swap space, and the mount point with '-' for each other '/':
// "var-log". A disk with a table is called as its partition for "/", or else as the first of them that has a name. ""
// for a disk that has none of them.
std::string disk_name(const Disk& disk);
// The partition's name likewise; one without a mount point is called as its type: "bios-boot".
std::string volume_name(const Partition& partition);

// The type of the guest's domain.
DomainType domain_type(const Recipe& recipe);

// What `read()` is given besides for one of several guests of a recipe: its name, host name, addresses (none: as the
// recipe has them) and MAC ("": likewise), and a seed of its own where the recipe has one. Pure.
std::vector<std::string> overrides_for(const Recipe& recipe, const ListedGuest& guest);
// How the guest calls its interfaces: of each network its `name`, or else lan0, lan1, ..., VLANs not counted, and for a
// VLAN its parent's name and its number: "lan0.10". A VLAN whose parent is not there has the name "".
struct InterfaceName {
    std::string name;
    std::string parent;  // of a VLAN
};
std::vector<InterfaceName> interface_names(const std::vector<Network>& networks);

// The hook's name, or else "hook1" for the first of the recipe.
std::string hook_name(const Hook& hook, std::size_t index);

// A file of the host that the recipe names, as an absolute path.
std::filesystem::path host_path(const Recipe& recipe, const std::filesystem::path& path);

// Reads and checks everything that can be checked without looking at the machine. `overrides` are "key=value" of
// --set, applied before checking ("system.suite=trixie", "disk.0.size=4G"; the value is TOML, or a bare string).
// Throws Error(recipe) with ALL mistakes, one "file:line:column: cannot ..." a line, in the order of the file.
Recipe parse(std::string_view text, const std::filesystem::path& file, const std::vector<std::string>& overrides = {});
// The same for a file; one that cannot be read is an Error(recipe) too.
Recipe read(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

// Every key there is, as "system.kernel.package", in the order of the manual.
std::vector<std::string> known_keys();

}  // namespace vprov::recipe
