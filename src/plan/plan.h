// What a recipe comes to on this host: everything decided, nothing touched. Pure, given HostFacts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hypervisor/guest/guest.h"
#include "partition/layout/layout.h"
#include "recipe/recipe.h"

namespace vprov::plan {

struct HostRepository {  // one line of the host's own apt sources
    std::string uri, suite;
    std::vector<std::string> components;
    std::string signed_by;  // as it stands there: a file, a fingerprint, a key; "" for none
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
    // The whole of a file that a recipe names; throws Error(recipe). Must be set for recipes that name sources.
    std::function<std::string(const std::filesystem::path&)> read_file;
};
// deb822 and one-line sources below `apt_directory`; no apt needed. A sources file that cannot be read or is malformed
// counts as far as it goes. Throws nothing but std::bad_alloc.
HostFacts read_host_facts(const std::filesystem::path& apt_directory = "/etc/apt");

struct PlannedRepository {
    std::string uri, suite;  // what packages are fetched from
    std::vector<std::string> components;
    std::filesystem::path signed_by;  // keyring of this host; empty for a trusted repository
    bool trusted = false, check_valid_until = true, allow_weak_digests = false;
    bool operator==(const PlannedRepository&) const = default;
};

struct Interface {
    std::string mac;                   // lower case, always set; of a VLAN its parent's
    std::string bridge;                // "" : none given
    std::vector<std::string> address;  // as recipe::Network has it
    std::vector<std::string> gateway;  // one a family at most
    std::vector<std::string> dns;
    std::string name = "lan0";             // in the guest
    std::vector<std::string> search = {};  // domains; none: the guest's own
    std::optional<unsigned> mtu = std::nullopt, vlan = std::nullopt;
    std::string parent = {};  // of a VLAN: another interface's name
    bool operator==(const Interface&) const = default;
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
    std::vector<Interface> interfaces;
    std::string guest_uuid;
    std::string machine_id;        // 32 hexadecimal digits; "": made at the guest's first boot
    std::string kernel_cmdline;    // "root=UUID=... ro console=hvc0 ..."
    std::filesystem::path output;  // absolute: DIR/NAME
    std::filesystem::path cache;   // empty: the archive's default directory
    std::filesystem::path lock;    // a lock file to take the packages from; empty: what the archives offer now
};

// RECIPE.toml -> RECIPE.lock, beside it.
std::filesystem::path lock_path(const std::filesystem::path& recipe);

struct Options {
    std::filesystem::path output = "out";  // DIR
    std::optional<std::filesystem::path> cache;
};

// Throws Error(recipe) "FILE: cannot ..." for what cannot be on this host: no root disk, two disks of one name or
// mount or guest device, a keyring that is needed and nowhere. Any architecture can be planned for; what runs its
// scripts is looked for by who runs them.
Plan make_plan(const recipe::Recipe& recipe, const HostFacts& facts, const Options& options);

// The domain for the hypervisor, its files in `plan.output`. Its kernel is "" where the recipe wants none.
hypervisor::Guest guest_of(const Plan& plan);

// 00:16:3e and three bytes of a hash of (seed, index): Xen's range, the same every time.
std::string derived_mac(std::string_view seed, unsigned index);

}  // namespace vprov::plan
