#include "recipe/recipe.h"

#include <fmt/format.h>

#include "base/text.h"
#include "os/fd.h"
#include "recipe/forms.h"
#include "recipe/override.h"
#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

// A recipe that installs nothing says nothing of what would be installed, and gives disks that are there.
void check_description(const Recipe& recipe, const Node& root, Findings& findings) {
    constexpr std::string_view kNothing = "with [system] distribution \"none\" nothing is installed";
    for (const std::string_view table : {"disk", "directory", "file", "hook"})
        if (const auto* node = root.find(table))
            findings.add(node->place, fmt::format("cannot use [[{}]]: {}", table, kNothing));
    const auto* identity = root.find("identity");
    for (std::size_t i = 0; identity && i < identity->entries.size(); ++i)
        if (identity->entries[i].key != "hostname")
            findings.add(identity->entries[i].place,
                         fmt::format("cannot use [identity] {}: {}", identity->entries[i].key, kNothing));
    const auto* system = root.find("system");
    for (const auto& entry : system->entries)
        if (entry.key != "distribution" && entry.key != "arch" && entry.key != "kernel" && entry.key != "agent")
            findings.add(entry.place, fmt::format("cannot use [system] {}: {}", entry.key, kNothing));
    const auto& domain = recipe.domain;
    if (domain.type != DomainType::hvm && !recipe.system.kernel.path && !domain.bootloader && !domain.firmware)
        findings.add(
            root.place_of("domain"),
            "cannot use [domain]: without an installed kernel its type is \"hvm\", or [system.kernel] has a path");
}

void check_installed(const Recipe& recipe, const Node& root, Findings& findings) {
    const auto* networks = root.find("network");
    for (std::size_t i = 0; i < recipe.networks.size(); ++i)
        if (recipe.networks[i].mac == kMacByHypervisor)
            findings.refuse(*networks->items[i].find("mac"), "[[network]] mac",
                            "a guest that is installed knows its interfaces by their MAC addresses");
}

// A firmware starts hvm domains, and GRUB for Xen is no firmware.
void check_type(const Recipe& recipe, const Node* domain, Findings& findings) {
    const auto* node = domain && domain->kind == Node::Kind::table ? domain->find("type") : nullptr;
    if (!node || !recipe.domain.type)
        return;
    const bool is_hvm = recipe.domain.type == DomainType::hvm;
    if (const auto method = boot_method(recipe.boot); method == BootMethod::grub && !is_hvm)
        findings.refuse(*node, "[domain] type", "[boot] method \"grub\" takes \"hvm\", for others there is \"pvgrub\"");
    else if (method == BootMethod::pvgrub && is_hvm)
        findings.refuse(*node, "[domain] type", "[boot] method \"pvgrub\" takes \"pv\" or \"pvh\"");
}

void check_recipe(const Recipe& recipe, const Node& root, Findings& findings) {
    check_disks(recipe.disks, root.find("disk"), findings);
    check_networks(recipe.networks, root.find("network"), findings);
    check_guests(recipe, root, findings);
    check_hooks(recipe.hooks, root.find("hook"), findings);
    check_files(recipe.files, root.find("file"), findings);
    if (installs_nothing(recipe))
        check_description(recipe, root, findings);
    else
        check_installed(recipe, root, findings);
    check_type(recipe, root.find("domain"), findings);
    const auto* identity = root.find("identity");
    const auto* name = root.find("name");
    if (!name || !flaw_of_guest_name(recipe.name).empty() || (identity && identity->find("hostname")))
        return;
    if (const auto flaw = flaw_of_hostname(recipe.name); !flaw.empty())
        findings.refuse(*name, "host name", "it is none; give one with [identity] hostname");
}

Keys<Recipe> recipe_keys() {
    return {
        "",
        {key("name", &Recipe::name, word(flaw_of_guest_name)), key("seed", &Recipe::seed, word(flaw_of_line)),
         table("system", &Recipe::system, system_keys()), table("identity", &Recipe::identity, identity_keys()),
         tables("disk", &Recipe::disks, disk_keys()), tables("mount", &Recipe::mounts, mount_keys()),
         tables("network", &Recipe::networks, network_keys()),
         tables("directory", &Recipe::directories, directory_keys()), tables("file", &Recipe::files, file_keys()),
         tables("hook", &Recipe::hooks, hook_keys()), table("boot", &Recipe::boot, boot_keys()),
         table("domain", &Recipe::domain, domain_keys()), tables("guest", &Recipe::listed_guests, listed_guest_keys()),
         table("guests", &Recipe::numbered_guests, numbered_guests_keys())},
        {"extends"},
        {"name"},
        check_recipe};
}

}  // namespace

Recipe parse(std::string_view text, const std::filesystem::path& file, const std::vector<std::string>& overrides) {
    Findings findings(file.string(), overrides);
    Recipe recipe;
    recipe.file = file;
    try {
        auto root = parse_document(text);
        for (std::size_t i = 0; i < overrides.size(); ++i)
            apply_override(root, overrides[i], static_cast<std::uint32_t>(i + 1), findings);
        if (const auto address = address_of_guests(root); !address.empty())
            apply_override(root, fmt::format("network.0.address=\"{}\"", address), 0, findings);
        recipe_keys().read(recipe, root, findings);
    } catch (const SyntaxError& e) {
        findings.add(e.place, fmt::format("cannot read TOML: {}", e.cause));
    }
    findings.raise_if_any();
    return recipe;
}

Recipe read(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
    return parse(os::read_file(file, ErrorKind::recipe), file, overrides);
}

std::vector<std::string> overrides_for(const Recipe& recipe, const ListedGuest& guest) {
    std::vector<std::string> overrides = {fmt::format("name=\"{}\"", guest.name),
                                          fmt::format("identity.hostname=\"{}\"", guest.hostname.value_or(guest.name))};
    if (recipe.seed)
        overrides.push_back(fmt::format("seed=\"{} {}\"", *recipe.seed, guest.name));
    if (!guest.address.empty())
        overrides.push_back(fmt::format("network.0.address=[\"{}\"]", joined(guest.address, "\", \"")));
    if (guest.mac)
        overrides.push_back(fmt::format("network.0.mac=\"{}\"", *guest.mac));
    return overrides;
}

bool installs_nothing(const Recipe& recipe) {
    return recipe.system.distribution == "none";
}

DomainType domain_type(const Recipe& recipe) {
    const bool has_firmware = boot_method(recipe.boot) == BootMethod::grub;
    return recipe.domain.type.value_or(has_firmware ? DomainType::hvm : DomainType::pvh);
}

std::filesystem::path host_path(const Recipe& recipe, const std::filesystem::path& path) {
    return std::filesystem::absolute(recipe.file.parent_path() / path).lexically_normal();
}

std::vector<std::string> known_keys() {
    return recipe_keys().paths();
}

}  // namespace vprov::recipe
