#include "config-render/first_boot.h"

#include <fcntl.h>

#include "config-render/templates.h"
#include "os/tree_files.h"

namespace vprov::render {
namespace {

constexpr const char* kUnit = "/etc/systemd/system/vprov-first-boot.service";

// A line each: what the script gives to cards that have none yet.
std::string names_of_interfaces(const plan::Plan& plan) {
    std::string names;
    for (const auto& interface : plan.interfaces)
        if (interface.any_card)
            names += interface.name + "\n";
    return names;
}

}  // namespace

std::vector<GuestFile> first_boot_files(const plan::Plan& plan) {
    GuestFile enabled{"/etc/systemd/system/sysinit.target.wants/vprov-first-boot.service", kUnit};
    enabled.is_link = true;
    return {{"/usr/lib/vprov/first-boot", rendered("first-boot", {}), 0755},
            {kUnit, rendered("first-boot.service", {})},
            enabled,
            {"/var/lib/vprov/first-boot", names_of_interfaces(plan)}};
}

void remove_host_keys(const os::RootDir& root) {
    const auto folder = root.open_if_exists("/etc/ssh", O_RDONLY | O_DIRECTORY);
    if (!folder)
        return;
    for (const auto& name : os::sorted_names(fmt::format("/proc/self/fd/{}", folder->get())))
        if (name.starts_with("ssh_host_"))
            root.remove("/etc/ssh/" + name);
}

void remove_random_seeds(const os::RootDir& root) {
    for (const auto* seed : {"/var/lib/systemd/random-seed", "/var/lib/urandom/random-seed"}) root.remove(seed);
}

}  // namespace vprov::render
