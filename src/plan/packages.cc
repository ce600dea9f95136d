#include "plan/packages.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "bootstrap/deb/package_wish.h"
#include "plan/suites.h"

namespace vprov::plan {
namespace {

struct DefaultKernel {
    std::string_view distribution, architecture, package;
};
// "cloud" is built for guests: the drivers of Xen and virtio, a quarter of the size.
constexpr std::array<DefaultKernel, 10> kKernels = {{{"debian", "amd64", "linux-image-cloud-amd64"},
                                                     {"debian", "arm64", "linux-image-cloud-arm64"},
                                                     {"debian", "armhf", "linux-image-armmp"},
                                                     {"debian", "i386", "linux-image-686-pae"},
                                                     {"debian", "ppc64el", "linux-image-powerpc64le"},
                                                     {"debian", "riscv64", "linux-image-riscv64"},
                                                     {"debian", "s390x", "linux-image-s390x"},
                                                     {"debian", "loong64", "linux-image-loong64"},
                                                     {"ubuntu", "amd64", "linux-image-virtual"},
                                                     {"ubuntu", "arm64", "linux-image-virtual"}}};

bool needs_locales(const recipe::Identity& identity) {
    return identity.locale && *identity.locale != "POSIX" && *identity.locale != "C" && *identity.locale != "C.UTF-8";
}

bool learns_name_servers_by_dhcp(const recipe::Recipe& recipe) {
    return std::any_of(recipe.networks.begin(), recipe.networks.end(), [](const recipe::Network& network) {
        return network.dns.empty() &&
               std::find(network.address.begin(), network.address.end(), "dhcp") != network.address.end();
    });
}

// apt asks for it when it fetches, and no package depends on it.
bool needs_authorities(const recipe::System& system, const std::vector<PlannedRepository>& repositories) {
    return !system.ca_certificates && system.variant != recipe::Variant::essential &&
           std::any_of(repositories.begin(), repositories.end(),
                       [](const PlannedRepository& repository) { return repository.uri.starts_with("https:"); });
}

constexpr std::array<const char*, 3> kOtherInits = {"sysvinit-core", "runit-init", "finit-sysv"};

// Below `standard` a tree holds no init, no device manager and nothing that brings the network up. systemd does all
// three with the fewest packages; a recipe that names another init or ifupdown gets its own way.
std::vector<std::string> packages_to_boot(const recipe::Recipe& recipe, const std::set<std::string>& chosen) {
    const auto is_chosen = [&](const char* package) { return chosen.contains(package); };
    std::vector<std::string> packages;
    if (!is_chosen("udev") && !is_chosen("eudev"))
        packages.emplace_back("udev");
    const bool other_init = std::any_of(kOtherInits.begin(), kOtherInits.end(), is_chosen);
    if (!other_init)
        packages.emplace_back("systemd-sysv");
    if (!other_init && !is_chosen("ifupdown") && learns_name_servers_by_dhcp(recipe) &&
        has_systemd_resolved(recipe.system.distribution, recipe.system.suite))
        packages.emplace_back("systemd-resolved");  // systemd-networkd writes no resolv.conf
    return packages;
}

// What checks the file systems at boot; e2fsprogs is in every system.
std::set<std::string> filesystem_packages(const recipe::Recipe& recipe) {
    std::set<std::string> packages;
    const auto add = [&](const std::optional<recipe::Filesystem>& filesystem) {
        if (filesystem == recipe::Filesystem::xfs)
            packages.insert("xfsprogs");
        if (filesystem == recipe::Filesystem::btrfs)
            packages.insert("btrfs-progs");
        if (filesystem == recipe::Filesystem::vfat)
            packages.insert("dosfstools");
    };
    for (const auto& disk : recipe.disks) {
        add(disk.filesystem);
        for (const auto& partition : disk.partitions) add(partition.filesystem);
    }
    return packages;
}

}  // namespace

std::string kernel_package(const recipe::System& system, const std::string& architecture) {
    if (system.kernel.package || system.kernel.path)
        return system.kernel.package.value_or("");
    const auto found = std::find_if(kKernels.begin(), kKernels.end(), [&](const DefaultKernel& kernel) {
        return kernel.distribution == system.distribution && kernel.architecture == architecture;
    });
    return found == kKernels.end() ? "" : std::string(found->package);
}

// Something else than the guest's own.
bool is_foreign(const recipe::System& system, const deb::PackageWish& wish) {
    const auto& foreign = system.foreign_architectures;
    return std::find(foreign.begin(), foreign.end(), wish.architecture) != foreign.end();
}

std::set<std::string> included_names(const recipe::System& system) {
    std::set<std::string> names;
    for (const auto& text : system.include)
        if (const auto wish = deb::read_package_wish(text); !wish.removal && !is_foreign(system, wish))
            names.emplace(wish.name);
    return names;
}

std::vector<std::string> planned_packages(const recipe::Recipe& recipe, const std::string& kernel_package,
                                          const std::vector<PlannedRepository>& repositories) {
    const auto& system = recipe.system;
    auto packages = included_names(system);
    const bool boots = !kernel_package.empty() || system.kernel.path;
    if (boots && system.variant != recipe::Variant::standard)
        for (auto& package : packages_to_boot(recipe, packages)) packages.insert(std::move(package));
    // logind answers the power button, which is how a hypervisor asks a guest to shut down, and needs the bus.
    if (boots && std::none_of(kOtherInits.begin(), kOtherInits.end(),
                              [&](const char* package) { return packages.contains(package); }))
        packages.insert("dbus");
    if (!kernel_package.empty())
        packages.insert(kernel_package);
    if (needs_locales(recipe.identity) && !packages.contains("locales-all"))
        packages.insert("locales");
    if (needs_authorities(system, repositories))
        packages.insert("ca-certificates");
    if (std::any_of(recipe.identity.users.begin(), recipe.identity.users.end(),
                    [](const auto& user) { return user.sudo; }))
        packages.insert("sudo");
    for (auto& package : filesystem_packages(recipe)) packages.insert(std::move(package));
    for (const auto& package : system.exclude) packages.erase(package);
    for (const auto& text : system.include)
        if (const auto wish = deb::read_package_wish(text); !is_foreign(system, wish))
            packages.erase(std::string(wish.name));
    packages.insert(system.include.begin(), system.include.end());  // as they were written
    return {packages.begin(), packages.end()};
}

}  // namespace vprov::plan
