// A recipe as it was written: every key typed and checked on its own, nothing derived yet. vprov-recipe(5).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

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

struct System {  // [system]
    std::string distribution = "debian";
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
    std::vector<std::filesystem::path> debs;           // .debs of this host, installed besides `include`
    std::vector<std::string> debconf;                  // lines as debconf-set-selections(1) takes them, no passwords
    std::vector<std::filesystem::path> debconf_files;  // files of such lines
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
    std::vector<std::string> address = {"dhcp"};  // "dhcp", "dhcp4", "dhcp6", "slaac", "none" or CIDRs
    std::vector<std::string> gateway;             // one a family at most
    std::vector<std::string> dns, search;
    std::optional<std::string> name;    // in the guest; see plan::Interface
    std::optional<unsigned> mtu, vlan;  // vlan: 802.1Q, on top of `parent`
    std::optional<std::string> parent;  // name of a network without vlan; the one before when not given
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

enum class DomainType { pv, pvh, hvm };
enum class Action { destroy, restart, rename_restart, preserve, coredump_destroy, coredump_restart };

struct Domain {  // [domain]
    DomainType type = DomainType::pvh;
    Bytes memory = 512_MiB;
    std::optional<Bytes> maxmem;
    unsigned vcpus = 2;
    Action on_poweroff = Action::destroy, on_reboot = Action::restart, on_crash = Action::destroy;
};

struct Recipe {
    std::filesystem::path file;  // where it was read from; relative paths in it start at its directory
    std::string name;
    std::optional<std::string> seed;  // what derived UUIDs and MACs start from; the name when not given
    System system;
    Identity identity;
    std::vector<Disk> disks;
    std::vector<Network> networks;
    std::vector<AddedDirectory> directories;
    std::vector<AddedFile> files;
    std::vector<Hook> hooks;
    Domain domain;
};

// The disk's name, or else "root" for "/", "swap" for swap space, and the mount point with '-' for each other '/':
// "var-log". "" for a disk that has none of them.
std::string disk_name(const Disk& disk);

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
