#include "plan/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "base/text.h"
#include "plan/fast_boot.h"

namespace vprov::plan {
namespace {

constexpr std::size_t kLabel = 15;  // width of the first column
constexpr std::size_t kLine = 100;  // lists are broken there

// Lines of "  LABEL  VALUE"; a value that is "" gives none.
class Section {
  public:
    explicit Section(std::string_view title) : text_(fmt::format("{}\n", title)) {}
    Section& line(std::string_view label, std::string_view value) {
        if (!value.empty())
            text_ += fmt::format("  {:<{}}{}\n", label, kLabel, value);
        return *this;
    }
    // Words one after the other, continued below the first.
    Section& words(std::string_view label, std::span<const std::string> list) {
        std::string row;
        for (const auto& word : list) {
            if (!row.empty() && 2 + kLabel + row.size() + 1 + word.size() > kLine) {
                line(label, row);
                label = "";
                row.clear();
            }
            row += row.empty() ? word : " " + word;
        }
        return line(label, row);
    }
    Section& block(std::string_view lines) {
        for (const auto one : split(lines, '\n'))
            if (!one.empty())
                text_ += fmt::format("  {}\n", one);
        return *this;
    }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

std::string_view name_of(recipe::Variant variant) {
    constexpr std::array<std::string_view, 4> kNames = {"essential", "minbase", "buildd", "standard"};
    return kNames.at(static_cast<std::size_t>(variant));
}

std::string_view name_of(recipe::DomainType type) {
    constexpr std::array<std::string_view, 3> kNames = {"pv", "pvh", "hvm"};
    return kNames.at(static_cast<std::size_t>(type));
}

std::string_view name_of(recipe::Action action) {
    constexpr std::array<std::string_view, 6> kNames = {"destroy",  "restart",          "rename-restart",
                                                        "preserve", "coredump-destroy", "coredump-restart"};
    return kNames.at(static_cast<std::size_t>(action));
}

std::string counted(std::size_t count, std::string_view noun) {
    return count == 0 ? "" : fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string described(const std::optional<recipe::Password>& password) {
    if (!password)
        return "locked";
    switch (password->source) {
        case recipe::Password::Source::hash:
            return "the hash in the recipe";
        case recipe::Password::Source::hash_file:
            return fmt::format("the hash in {}", password->value);
        case recipe::Password::Source::environment:
            return fmt::format("from the environment variable {}", password->value);
        case recipe::Password::Source::random:
            return "random, left beside the images";
    }
    return {};
}

std::string described(const recipe::User& user) {
    std::string text = fmt::format("{}, password: {}", user.name, described(user.password));
    if (user.uid)
        text += fmt::format(", uid {}", *user.uid);
    if (user.sudo != recipe::Sudo::none)
        text += user.sudo == recipe::Sudo::without_password ? ", sudo without password" : ", sudo";
    if (!user.groups.empty())
        text += fmt::format(", groups {}", joined(user.groups, " "));
    if (!user.authorized_keys.empty())
        text += fmt::format(", {}", counted(user.authorized_keys.size(), "SSH key"));
    return text;
}

std::string described_keyboard(const recipe::Identity& identity) {
    auto text = identity.keyboard.value_or("");
    for (const auto& word : {identity.keyboard_variant, identity.keyboard_model, identity.keyboard_options})
        if (word)
            text += fmt::format(" {}", *word);
    return text;
}

std::string guest_section(const Plan& plan) {
    const auto& identity = plan.recipe.identity;
    auto locales = identity.locales;
    if (identity.locale)
        locales.insert(locales.begin(), *identity.locale);
    Section section("Guest");
    if (recipe::installs_nothing(plan.recipe))
        return section.line("name", plan.name)
            .line("system", "is not installed")
            .line("output", plan.output.native())
            .text();
    section.line("name", plan.name)
        .line("host name",
              plan.fqdn == plan.hostname ? plan.hostname : fmt::format("{} ({})", plan.hostname, plan.fqdn))
        .line("system", fmt::format("{} {}, {}, {}", plan.recipe.system.distribution, plan.recipe.system.suite,
                                    plan.architecture, name_of(plan.recipe.system.variant)))
        .line("foreign", joined(plan.recipe.system.foreign_architectures, ", "))
        .line("time zone", identity.timezone.value_or(""))
        .line("locale", joined(locales, ", "))
        .line("keyboard", described_keyboard(identity))
        .line("root password", described(identity.root_password))
        .line("root keys", counted(identity.authorized_keys.size(), "SSH key"));
    if (identity.ssh_host_keys)
        section.line("SSH host keys", identity.ssh_host_keys->native());
    if (identity.is_template)
        section.line("template", "SSH host keys and machine-id are made at first boot");
    for (const auto& user : identity.users) section.line("user", described(user));
    return section.line("output", plan.output.native()).text();
}

std::string keys_of(const PlannedRepository& repository) {
    return repository.embedded_key.empty() ? repository.signed_by.native() : "the key in its sources";
}

std::string repositories_section(const Plan& plan) {
    Section section("Repositories");
    std::size_t uri = 0, suite = 0;
    for (const auto& repository : plan.repositories) {
        uri = std::max(uri, repository.uri.size());
        suite = std::max(suite, repository.suite.size());
    }
    std::string rows;
    for (const auto& repository : plan.repositories) {
        rows += fmt::format("{:<{}}  {:<{}}  {}", repository.uri, uri, repository.suite, suite,
                            joined(repository.components, " "));
        rows += repository.trusted ? "  TRUSTED: no signature is checked" : "  " + keys_of(repository);
        if (!repository.architectures.empty())
            rows += fmt::format("  {} only", joined(repository.architectures, " "));
        if (repository.allow_weak_digests)
            rows += "  WEAK DIGESTS are taken";
        rows += repository.check_valid_until ? "\n" : "  its age is not checked\n";
    }
    return section.block(rows).text();
}

std::string packages_section(const Plan& plan) {
    const auto& kernel = plan.recipe.system.kernel;
    const auto host_kernel = kernel.path
                                 ? fmt::format("{} of this host", recipe::host_path(plan.recipe, *kernel.path).native())
                                 : std::string("none");
    Section section("Packages");
    section.words("include", plan.include)
        .words("exclude", plan.recipe.system.exclude)
        .line("recommends", plan.recipe.system.recommends ? "yes" : "no")
        .line("kernel", kernel.path || plan.kernel_package.empty() ? host_kernel : plan.kernel_package);
    for (const auto& deb : plan.recipe.system.debs) section.line("local", deb.native());
    if (!plan.recipe.system.debconf.empty())
        section.line("debconf", counted(plan.recipe.system.debconf.size(), "answer"));
    for (const auto& file : plan.recipe.system.debconf_files) section.line("debconf", file.native());
    if (plan.recipe.system.scripts_network)
        section.line("scripts", "on the host's network");
    return section.text();
}

// "" where the hypervisor loads a kernel, as it does unless something else is asked.
std::string boot_section(const Plan& plan) {
    const auto& boot = plan.boot;
    if (boot.method == recipe::BootMethod::direct && !boot.grow && !boots_fast(plan.recipe))
        return "";
    Section section("Boot");
    if (boots_fast(plan.recipe))
        section.line("by", "the hypervisor, fast: a small initrd")
            .words("off", units_switched_off(plan))
            .words("generators", generators_switched_off(plan))
            .words("not loaded", modules_left_out(plan));
    if (boot.method == recipe::BootMethod::pvgrub)
        section.line("by", "GRUB, which Xen loads");
    if (boot.method == recipe::BootMethod::grub)
        section.line("by",
                     fmt::format("GRUB, which {} loads{}", boot.firmware == recipe::Firmware::uefi ? "UEFI" : "a BIOS",
                                 boot.secure_boot ? ", signed for Secure Boot" : ""));
    for (const auto& partition : boot.added) section.line("added", partition);
    if (boot.method != recipe::BootMethod::direct)
        section.line("menu", fmt::format("waits {} s", boot.timeout));
    return section.line("root", boot.grow ? "grows with its disk" : "").text() + "\n";
}

std::string place_of(const Interface& interface) {
    if (interface.vlan)
        return fmt::format("VLAN {} on {}", *interface.vlan, interface.parent);
    return interface.bridge.empty() ? "the default bridge" : fmt::format("bridge {}", interface.bridge);
}

std::string network_section(const Plan& plan) {
    Section section("Network");
    std::size_t width = 0;
    for (const auto& interface : plan.interfaces) width = std::max(width, interface.name.size());
    for (const auto& interface : plan.interfaces) {
        std::string value = joined(interface.address, " ");
        if (!interface.gateway.empty())
            value += fmt::format(", gateway {}", joined(interface.gateway, " "));
        if (!interface.dns.empty())
            value += fmt::format(", name servers {}", joined(interface.dns, " "));
        if (!interface.search.empty())
            value += fmt::format(", search {}", joined(interface.search, " "));
        if (interface.mtu)
            value += fmt::format(", MTU {}", *interface.mtu);
        section.block(fmt::format("{:<{}}  {}  {}, {}", interface.name, width,
                                  interface.any_card ? "any card" : interface.mac, value, place_of(interface)));
    }
    return plan.interfaces.empty() ? section.block("none").text() : section.text();
}

std::string described(const recipe::AddedFile& file) {
    return fmt::format("{}{}{}", file.path, file.source ? fmt::format(" from {}", file.source->native()) : "",
                       file.stage == recipe::Moment::before_scripts ? ", before scripts run" : "");
}

// What the recipe adds by itself; "" when that is nothing.
std::string additions_section(const Plan& plan) {
    const auto& recipe = plan.recipe;
    if (recipe.files.empty() && recipe.directories.empty() && recipe.hooks.empty())
        return {};
    Section section("Added");
    for (const auto& directory : recipe.directories)
        section.line("directory", directory.path + (directory.source ? " from " + directory.source->native() : ""));
    for (const auto& file : recipe.files) section.line("file", described(file));
    for (std::size_t i = 0; i < recipe.hooks.size(); ++i) {
        const auto& hook = recipe.hooks[i];
        section.line(hook.stage == recipe::Moment::before_scripts ? "essential hook" : "customize hook",
                     recipe::hook_name(hook, i) + (hook.file ? " from " + hook.file->native() : ""));
    }
    return section.text() + "\n";
}

std::string described_screen(const hypervisor::Guest& guest) {
    if (!guest.vnc)
        return guest.sdl ? "in a window of the host" : "";
    const auto display = fmt::format("the first free display from {} on", guest.vncdisplay.value_or(0));
    return fmt::format("VNC, {} of {}{}", display, guest.vnclisten, guest.sdl ? ", and a window of the host" : "");
}

std::string domain_section(const Plan& plan) {
    const auto& domain = plan.recipe.domain;
    const auto guest = guest_of(plan);
    const auto most = domain.maxmem ? fmt::format(", at most {}", exact(*domain.maxmem)) : std::string();
    Section section("Domain");
    section.line("type", name_of(recipe::domain_type(plan.recipe)))
        .line("memory", exact(domain.memory) + most)
        .line("vcpus", fmt::format("{}", domain.vcpus))
        .line("uuid", plan.guest_uuid)
        .line("cmdline", plan.kernel_cmdline)
        .line("boot order", guest.boot);
    for (const auto& disk : guest.disks)
        if (disk.cdrom || std::none_of(plan.layout.disks.begin(), plan.layout.disks.end(),
                                       [&](const auto& planned) { return planned.guest == disk.vdev; }))
            section.line(disk.cdrom ? "CD" : "disk",
                         fmt::format("{}  {}", disk.vdev, disk.target.empty() ? "empty" : disk.target));
    return section.line("screen", described_screen(guest))
        .line("on poweroff", name_of(domain.on_poweroff))
        .line("on reboot", name_of(domain.on_reboot))
        .line("on crash", name_of(domain.on_crash))
        .text();
}

}  // namespace

std::string describe(const Plan& plan) {
    if (recipe::installs_nothing(plan.recipe))
        return fmt::format("{}\n{}", guest_section(plan), domain_section(plan));
    return fmt::format("{}\n{}\n{}\n{}\n{}{}\n{}{}", guest_section(plan), repositories_section(plan),
                       packages_section(plan), Section("Disks").block(partition::describe(plan.layout)).text(),
                       boot_section(plan), network_section(plan), additions_section(plan), domain_section(plan));
}

}  // namespace vprov::plan
