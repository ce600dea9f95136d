#include "plan/packages.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>
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
    const auto is_made = [](const std::string& locale) {
        return locale != "POSIX" && locale != "C" && locale != "C.UTF-8";
    };
    return (identity.locale && is_made(*identity.locale)) ||
           std::any_of(identity.locales.begin(), identity.locales.end(), is_made);
}

bool is_dhcp(const std::string& address) {
    return address.starts_with("dhcp");
}

bool uses_dhcp(const recipe::Network& network) {
    return std::any_of(network.address.begin(), network.address.end(), is_dhcp);
}

bool learns_name_servers(const recipe::Recipe& recipe) {
    return std::any_of(recipe.networks.begin(), recipe.networks.end(), [](const recipe::Network& network) {
        const bool by_router =
            std::find(network.address.begin(), network.address.end(), "slaac") != network.address.end();
        return network.dns.empty() && (uses_dhcp(network) || by_router);
    });
}

// apt asks for it when it fetches, and no package depends on it.
bool needs_authorities(const recipe::System& system, const std::vector<PlannedRepository>& repositories) {
    return !system.ca_certificates && system.variant != recipe::Variant::essential &&
           std::any_of(repositories.begin(), repositories.end(),
                       [](const PlannedRepository& repository) { return repository.uri.starts_with("https:"); });
}

constexpr std::array<const char*, 3> kOtherInits = {"sysvinit-core", "runit-init", "finit-sysv"};
constexpr std::array<const char*, 6> kDhcpClients = {"isc-dhcp-client", "dhcpcd-base", "dhcpcd", "dhcpcd5",
                                                     "udhcpc",          "pump"};  // ifupdown 0.8 knows them

bool holds_any(const std::set<std::string>& packages, std::span<const char* const> names) {
    return std::any_of(names.begin(), names.end(), [&](const char* name) { return packages.contains(name); });
}

bool brings_ifupdown(const recipe::Recipe& recipe, const std::set<std::string>& chosen) {
    return chosen.contains("ifupdown") || recipe.identity.network_renderer == recipe::NetworkRenderer::ifupdown;
}

// Below `standard` a tree holds no init, no device manager and nothing that brings the network up. systemd does all
// three with the fewest packages; a recipe that names another init or ifupdown gets its own way.
std::vector<std::string> packages_to_boot(const recipe::Recipe& recipe, const std::set<std::string>& chosen) {
    const auto is_chosen = [&](const char* package) { return chosen.contains(package); };
    std::vector<std::string> packages;
    if (!is_chosen("udev") && !is_chosen("eudev"))
        packages.emplace_back("udev");
    const bool other_init = holds_any(chosen, kOtherInits);
    if (!other_init)
        packages.emplace_back("systemd-sysv");
    if (!other_init && !brings_ifupdown(recipe, chosen) && learns_name_servers(recipe) &&
        has_systemd_resolved(recipe.system.suite))
        packages.emplace_back("systemd-resolved");  // systemd-networkd writes no resolv.conf
    return packages;
}

// What configures the network where the recipe says what that shall be, and what it cannot do its work without.
std::vector<std::string> packages_of_network(const recipe::Recipe& recipe, const std::set<std::string>& chosen) {
    using recipe::NetworkRenderer;
    const auto renderer = recipe.identity.network_renderer;
    const bool is_standard = recipe.system.variant == recipe::Variant::standard;
    std::vector<std::string> packages;
    if (renderer == NetworkRenderer::netplan)
        packages.emplace_back("netplan.io");
    if (renderer == NetworkRenderer::ifupdown)
        packages.emplace_back("ifupdown");
    const bool by_networkd = renderer == NetworkRenderer::networkd || renderer == NetworkRenderer::netplan ||
                             (renderer == NetworkRenderer::automatic && chosen.contains("netplan.io"));
    if (by_networkd && learns_name_servers(recipe) && has_systemd_resolved(recipe.system.suite))
        packages.emplace_back("systemd-resolved");
    // ifupdown only recommends one; `standard` has one
    const bool dhcp = std::any_of(recipe.networks.begin(), recipe.networks.end(), uses_dhcp);
    if (dhcp && brings_ifupdown(recipe, chosen) && !is_standard && !holds_any(chosen, kDhcpClients))
        packages.emplace_back(has_dhclient(recipe.system.suite) ? "isc-dhcp-client" : "dhcpcd-base");
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
    if (boots && !holds_any(packages, kOtherInits))
        packages.insert("dbus");
    for (auto& package : packages_of_network(recipe, packages)) packages.insert(std::move(package));
    if (recipe.identity.timezone.value_or("UTC") != "UTC")
        packages.insert("tzdata");
    if (!kernel_package.empty())
        packages.insert(kernel_package);
    if (needs_locales(recipe.identity) && !packages.contains("locales-all"))
        packages.insert("locales");
    if (needs_authorities(system, repositories))
        packages.insert("ca-certificates");
    if (std::any_of(recipe.identity.users.begin(), recipe.identity.users.end(),
                    [](const auto& user) { return user.sudo != recipe::Sudo::none; }))
        packages.insert("sudo");
    packages.merge(filesystem_packages(recipe));
    for (const auto& package : system.exclude) packages.erase(package);
    for (const auto& text : system.include)
        if (const auto wish = deb::read_package_wish(text); !is_foreign(system, wish))
            packages.erase(std::string(wish.name));
    packages.insert(system.include.begin(), system.include.end());  // as they were written
    return {packages.begin(), packages.end()};
}

}  // namespace vprov::plan
