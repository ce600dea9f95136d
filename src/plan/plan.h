// What a recipe comes to on this host: everything decided, nothing touched. Pure, given HostFacts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hypervisor/guest/configuration.h"
#include "hypervisor/guest/guest.h"
#include "partition/boot/grub_core.h"
#include "partition/layout/layout.h"
#include "recipe/recipe.h"

namespace vprov::plan {

struct HostRepository {  // one line of the host's own apt sources
    std::string uri, suite;
    std::vector<std::string> components;
    std::string signed_by;  // as it stands there: a file, a fingerprint, a key; "" for none
};

struct BlockDevice {
    Bytes size;
    std::uint32_t sector_size = 512;  // logical
};

// What a plan depends on besides the recipe. Read once, by read_host_facts(); tests write their own.
struct HostFacts {
    std::int64_t now = 0;      // seconds since the epoch
    std::string architecture;  // Debian's name: "amd64"
    std::vector<HostRepository> apt_sources;
    std::string default_mirror, default_security_mirror;            // of configure time, Debian's
    std::function<bool(const std::filesystem::path&)> file_exists;  // of keyrings, kernels and the like; must be set
    // Must be set for recipes that name directories to copy.
    std::function<bool(const std::filesystem::path&)> directory_exists;
    // The whole of a file that a recipe names, or of a keyring; throws Error(recipe). Must be set for recipes that name
    // sources or keys, and for apt sources that hold keys.
    std::function<std::string(const std::filesystem::path&)> read_file;
    // nullopt for one that is not there. Unset: there are none.
    std::function<std::optional<BlockDevice>(const std::filesystem::path&)> block_device;
};
// deb822 and one-line sources below `apt_directory`; no apt needed. A sources file that cannot be read or is malformed
// counts as far as it goes. Throws nothing but std::bad_alloc.
HostFacts read_host_facts(const std::filesystem::path& apt_directory = "/etc/apt");

struct PlannedRepository {
    std::string uri, suite;  // what packages are fetched from
    std::vector<std::string> components;
    std::filesystem::path signed_by;  // keyring of this host; empty for a trusted repository
    bool trusted = false, check_valid_until = true, allow_weak_digests = false;
    std::string embedded_key = {};             // armoured, in place of signed_by; "" : none
    std::vector<std::string> architectures{};  // none: all of the guest's
    bool operator==(const PlannedRepository&) const = default;
};

struct Interface {
    std::string
        mac;  // lower case; of a VLAN its parent's; "" in a guest that is not installed: the hypervisor's choice
    std::string bridge;                // "" : none given
    std::vector<std::string> address;  // as recipe::Network has it
    std::vector<std::string> gateway;  // one a family at most
    std::vector<std::string> dns;
    std::string name = "lan0";             // in the guest
    std::vector<std::string> search = {};  // domains; none: the guest's own
    std::optional<unsigned> mtu = std::nullopt, vlan = std::nullopt;
    std::string parent = {};  // of a VLAN: another interface's name
    // Of a template whose recipe names no MAC address: its first boot gives the name to a card, and `mac` is what its
    // own configuration says, and no copy's.
    bool any_card = false;
    hypervisor::VifType type = hypervisor::VifType::automatic;
    std::string model = {}, ip = {}, rate = {}, script = {}, vifname = {};  // "" : none given
    bool operator==(const Interface&) const = default;
};

// What starts the guest: [boot].
struct BootPlan {
    recipe::BootMethod method = recipe::BootMethod::direct;
    recipe::Firmware firmware = recipe::Firmware::bios;
    std::string platform;                  // of the GRUB that is installed: "i386-pc", "x86_64-efi"; "" for none
    std::string package;                   // of Debian, which brings it: "grub-pc", "grub-efi-amd64"
    partition::BootFilesystem filesystem;  // with GRUB's menu; of methods other than direct
    std::string esp;                       // where the EFI system partition is mounted; "" without one
    std::string cmdline;                   // what kernels get besides root= and ro, from GRUB's menu
    unsigned timeout = 1;                  // seconds
    bool secure_boot = false, grow = false;
    std::vector<std::string>
        added;  // partitions that the recipe did not ask for: "a BIOS boot partition of 1M on root"
    bool operator==(const BootPlan&) const = default;
};

// Random by nature, and taken over from an image rather than made anew.
struct KnownSecrets {
    std::map<std::string, std::string> passwords;  // by user: a field of shadow(5)
    std::map<std::string, std::string> files;      // SSH host keys, by path without a leading "/"
};

struct Plan {
    recipe::Recipe recipe;  // what was asked; authorized keys are also those of the files it names
    std::string name;
    std::string architecture;
    std::string hostname, fqdn;                   // fqdn is the hostname when there is no domain
    std::vector<PlannedRepository> repositories;  // in order: suite, -updates, -security, the recipe's own
    std::vector<std::string> include;             // the recipe's, the kernel's and what the identity needs, sorted
    std::string kernel_package;                   // "" : no kernel in the guest
    partition::DiskLayout layout;
    BootPlan boot;
    std::vector<Interface> interfaces;
    std::string guest_uuid;
    std::string machine_id;                                 // 32 hexadecimal digits; "": made at the guest's first boot
    std::string kernel_cmdline;                             // "root=UUID=... ro console=hvc0 ...", whoever passes it
    hypervisor::Dialect dialect = hypervisor::Dialect::xl;  // of NAME.cfg
    std::filesystem::path output;                           // absolute: DIR/NAME
    std::filesystem::path cache;                            // empty: the archive's default directory
    std::vector<std::filesystem::path> erase;               // devices whose content is given up
    KnownSecrets known;
    std::filesystem::path lock;  // a lock file to take the packages from; empty: what the archives offer now
};

// RECIPE.toml -> RECIPE.lock, beside it.
std::filesystem::path lock_path(const std::filesystem::path& recipe);

enum class HostFiles { wanted, not_wanted };  // kernels and the like that a recipe names

struct Options {
    std::filesystem::path output = "out";  // DIR
    std::optional<std::filesystem::path> cache;
    HostFiles host_files = HostFiles::wanted;  // not_wanted: for another host, or to be looked at only
    hypervisor::Dialect dialect = hypervisor::Dialect::xl;
};

// Throws Error "FILE: cannot ..." for what cannot be on this host, disk for disks that are too small, else recipe: no
// root disk, two disks of one name or mount or guest device, a keyring that is needed and nowhere. Any architecture can
// be planned for; what runs its scripts is looked for by who runs them.
Plan make_plan(const recipe::Recipe& recipe, const HostFacts& facts, const Options& options);

// The domain for the hypervisor, its files in `plan.output`. Its kernel is "" where the recipe wants none.
hypervisor::Guest guest_of(const Plan& plan);

// The disks that are there already and the CD drives, after `guest` has its other disks. Throws Error(recipe) for a
// device that two of them have.
void attach_disks(hypervisor::Guest& guest, const recipe::Recipe& recipe);

// 00:16:3e and three bytes of a hash of (seed, index): Xen's range, the same every time.
std::string derived_mac(std::string_view seed, unsigned index);

}  // namespace vprov::plan
