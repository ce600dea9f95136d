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

namespace vprov::recipe {

enum class Variant { essential, minbase, buildd, standard };

struct Repository {  // [[system.repository]]
    std::string uri, suite;
    std::vector<std::string> components = {"main"};
    std::optional<std::filesystem::path> signed_by;
    bool trusted = false;
    bool check_valid_until = true, allow_weak_digests = false;
};

struct Kernel {                                         // [system.kernel]
    std::optional<std::string> package;                 // "" means: no kernel in the guest
    std::string cmdline;                                // added to what vprov needs
    std::optional<std::filesystem::path> path, initrd;  // files of the host instead of the guest's own
};

struct System {                           // [system]
    std::string distribution = "debian";  // "none": see installs_nothing()
    std::string suite = "bookworm";
    std::optional<std::string> arch;  // the host's when not given
    Variant variant = Variant::standard;
    std::optional<std::string> mirror, security_mirror;
    std::vector<std::string> components = {"main"};
    std::vector<std::string> sources;  // files of apt sources, or lines of them: instead of mirror and components
    std::vector<std::string> include, exclude;
    bool recommends = false, updates = true, security = true;
    bool scripts_network = false;                               // packages' scripts see the host's network
    bool check_valid_until = true, allow_weak_digests = false;  // of the distribution's own repositories
    std::optional<std::filesystem::path> keyring;
    std::vector<Repository> repositories;
    Kernel kernel;
};

// How a password is given; never in clear. Exactly one way.
struct Password {
    enum class Source { hash, hash_file, environment, random };  // a hash is one of crypt(5), checked
    Source source = Source::random;
    std::string value;  // the hash, the file that holds it, or the variable that holds the password
    bool operator==(const Password&) const = default;
};

struct User {  // [[identity.user]]
    std::string name;
    std::vector<std::string> groups;
    bool sudo = false;
    std::optional<Password> password;  // none: locked
    std::vector<std::string> authorized_keys;
};

struct Identity {                         // [identity]
    std::optional<std::string> hostname;  // the recipe's name when not given
    std::optional<std::string> domain, timezone, locale, keyboard;
    std::optional<Password> root_password;  // none: locked
    std::vector<std::string> authorized_keys;
    std::vector<User> users;
};

enum class Filesystem { ext2, ext3, ext4, swap };
enum class ImageFormat { raw };

struct Disk {                         // [[disk]]
    std::optional<std::string> name;  // file name stem; see disk_name()
    std::optional<Bytes> size;
    std::optional<Filesystem> filesystem;
    std::optional<std::string> mount;  // "/", "/home"; none for swap
    std::optional<std::string> label;
    std::optional<std::string> options;  // for fstab; the plan has the defaults
    std::optional<std::string> guest;    // "xvda1"
    ImageFormat format = ImageFormat::raw;
};

struct Network {  // [[network]]
    std::optional<std::string> bridge;
    std::optional<std::string> mac;               // lower case
    std::vector<std::string> address = {"dhcp"};  // "dhcp" or CIDR, IPv4 or IPv6
    std::optional<std::string> gateway;
    std::vector<std::string> dns;
    hypervisor::VifType type = hypervisor::VifType::automatic;
    std::optional<std::string> model, rate, script, vifname;  // of xl-network-configuration(5)
};

constexpr std::string_view kMacByHypervisor = "auto";  // a MAC address of a guest in which nothing is installed

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

struct Domain {  // [domain]
    DomainType type = DomainType::pvh;
    Bytes memory = 512_MiB;
    std::optional<Bytes> maxmem;
    unsigned vcpus = 2;
    std::optional<unsigned> maxvcpus;
    Action on_poweroff = Action::destroy, on_reboot = Action::restart, on_crash = Action::destroy;
    std::optional<std::string> root, extra;  // of the kernel's command line; the plan has the defaults
    std::optional<std::string> bootloader;
    std::optional<hypervisor::Firmware> firmware;  // of a guest in which nothing is installed
    std::optional<std::string> boot;               // "cd"
    std::vector<std::string> cdrom;                // files or devices of the host; "" is an empty drive
    std::vector<DomainDisk> disks;
    Vnc vnc;
    bool sdl = false, usb_tablet = false;
    hypervisor::Screen vga = hypervisor::Screen::automatic;
    std::vector<std::string> serial;
    Libvirt libvirt = Libvirt::none;
    std::map<std::string, hypervisor::GuestOption> xl;  // keys of xl.cfg(5) that have none here
};

struct Recipe {
    std::filesystem::path file;  // where it was read from; relative paths in it start at its directory
    std::string name;
    std::optional<std::string> seed;  // what derived UUIDs and MACs start from; the name when not given
    System system;
    Identity identity;
    std::vector<Disk> disks;
    std::vector<Network> networks;
    Domain domain;
};

// Whether the recipe only describes a domain: no package is installed, and no disk is made.
bool installs_nothing(const Recipe& recipe);

// The disk's name, or else "root" for "/", "swap" for swap space, and the mount point with '-' for each other '/':
// "var-log". "" for a disk that has none of them.
std::string disk_name(const Disk& disk);

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
