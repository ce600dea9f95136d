#include "config-render/guest_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "config-render/agent_files.h"
#include "config-render/boot_files.h"
#include "config-render/fast_boot.h"
#include "config-render/filesystems.h"
#include "config-render/first_boot.h"
#include "config-render/network.h"
#include "config-render/sources.h"
#include "config-render/suite.h"
#include "config-render/templates.h"
#include "plan/packages.h"

namespace vprov::render {
namespace {
using kainjow::mustache::data;

constexpr const char* kMachineId = "/etc/machine-id";

void append(std::vector<GuestFile>& files, std::vector<GuestFile> more) {
    std::ranges::move(more, std::back_inserter(files));
}

std::vector<GuestFile> timezone_files(const plan::Plan& plan) {
    const auto& zone = plan.recipe.identity.timezone;
    if (!zone)
        return {};
    GuestFile link{"/etc/localtime", "/usr/share/zoneinfo/" + *zone};
    link.is_link = true;
    if (!is_before_trixie(plan.recipe.system.suite))
        return {link};
    return {link, {"/etc/timezone", *zone + "\n"}};
}

// Nothing is generated for what libc brings.
bool is_generated(std::string_view locale) {
    return locale != "C" && locale != "POSIX" && locale != "C.UTF-8";
}

// "de_DE.UTF-8" is made with the charset it names, "de_DE" with UTF-8.
std::string charset_of(std::string_view locale) {
    const auto dot = locale.find('.');
    const auto end = locale.find('@');
    if (dot == std::string_view::npos || dot > end)
        return "UTF-8";
    return std::string(locale.substr(dot + 1, end == std::string_view::npos ? end : end - dot - 1));
}

std::vector<GuestFile> locale_files(const plan::Plan& plan) {
    const auto& identity = plan.recipe.identity;
    std::vector<GuestFile> files;
    if (identity.locale)
        files.push_back({"/etc/default/locale", rendered("locale", data{"locale", *identity.locale})});
    auto locales = identity.locales;
    if (identity.locale && std::ranges::find(locales, *identity.locale) == locales.end())
        locales.insert(locales.begin(), *identity.locale);
    std::erase_if(locales, [](const std::string& locale) { return !is_generated(locale); });
    data list{data::type::list};
    for (const auto& locale : locales) {
        data entry;
        entry["locale"] = locale;
        entry["charset"] = charset_of(locale);
        list << entry;
    }
    if (!locales.empty())
        files.push_back({"/etc/locale.gen", rendered("locale.gen", data{"locales", list})});
    return files;
}

std::vector<GuestFile> keyboard_files(const plan::Plan& plan) {
    const auto& identity = plan.recipe.identity;
    if (!identity.keyboard)
        return {};
    data values;
    values["layout"] = *identity.keyboard;
    values["variant"] = identity.keyboard_variant.value_or("");
    values["model"] = identity.keyboard_model.value_or("pc105");
    values["options"] = identity.keyboard_options.value_or("");
    return {{"/etc/default/keyboard", rendered("keyboard", values)}};
}

std::vector<GuestFile> machine_files(const plan::Plan& plan) {
    if (!plan.machine_id.empty())
        return {{kMachineId, plan.machine_id + "\n", 0444}};
    return {{kMachineId, ""}};
}

std::vector<GuestFile> root_key_files(const plan::Plan& plan) {
    const auto& keys = plan.recipe.identity.authorized_keys;
    if (keys.empty())
        return {};
    GuestFile file{"/root/.ssh/authorized_keys", joined(keys, "\n") + "\n", 0600};
    file.directory_mode = 0700;
    return {file};
}

// D-Bus keeps a copy where systemd-tmpfiles did not make a link; without a file it takes /etc/machine-id.
void remove_copy_of_machine_id(const os::RootDir& root) {
    constexpr const char* kCopy = "/var/lib/dbus/machine-id";
    if (const auto status = root.status(kCopy); status && S_ISREG(status->st_mode))
        root.remove(kCopy);
}

void set_directory_mode(const os::RootDir& root, const GuestFile& file) {
    const auto folder = std::filesystem::path(file.path).parent_path().string();
    const auto fd = root.open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (::fchmod(fd.get(), file.directory_mode) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot set the mode of " + quote(folder) + " in the guest's tree");
}

}  // namespace

PackageNames expected_packages(const plan::Plan& plan) {
    const auto& system = plan.recipe.system;
    PackageNames names(plan.include.begin(), plan.include.end());
    for (const auto& name : plan::included_names(system)) names.insert(name);
    if (system.variant != recipe::Variant::essential)
        names.insert("apt");
    if (system.variant == recipe::Variant::standard) {
        names.insert({system.distribution == "ubuntu" ? "netplan.io" : "ifupdown", "systemd", "udev"});
        if (system.distribution != "ubuntu")
            names.insert(is_before_trixie(system.suite) ? "isc-dhcp-client" : "dhcpcd-base");
    }
    if (names.contains("systemd-sysv") || names.contains("init"))
        names.insert("systemd");
    for (const auto& name : system.exclude) names.erase(name);
    return names;
}

std::vector<GuestFile> early_guest_files(const plan::Plan& plan) {
    auto files = timezone_files(plan);
    append(files, locale_files(plan));
    append(files, keyboard_files(plan));
    return files;
}

std::vector<GuestFile> late_guest_files(const plan::Plan& plan, const PackageNames& packages) {
    const bool is_named = !plan.recipe.identity.is_template || plan.recipe.identity.hostname;
    std::vector<GuestFile> files = {{"/etc/hostname", is_named ? plan.hostname + "\n" : ""},  // "": hostname(5), none
                                    {"/etc/fstab", fstab(plan)},
                                    {"/etc/hosts", hosts(plan)}};
    append(files, link_files(plan));
    append(files, network_files(plan, packages));
    append(files, resolver_files(plan, packages));
    if (packages.contains("apt"))
        append(files, source_files(plan));
    append(files, root_key_files(plan));
    append(files, grow_files(plan));
    append(files, fast_boot_files(plan, packages));
    append(files, agent_files(plan, packages));
    append(files, machine_files(plan));
    if (plan.recipe.identity.is_template)
        append(files, first_boot_files(plan));
    return files;
}

std::vector<GuestFile> late_guest_files(const plan::Plan& plan) {
    return late_guest_files(plan, expected_packages(plan));
}

void make_mount_points(const os::RootDir& root, const partition::DiskLayout& layout) {
    for (const auto* volume : layout.volumes())
        if (!volume->mount.empty() && volume->mount != "/")
            root.make_directories(volume->mount);
}

void write_guest_files(const os::RootDir& root, const std::vector<GuestFile>& files) {
    for (const auto& file : files) {
        if (file.is_link)
            root.make_link(file.path, file.content);
        else if (!file.source.empty())
            root.write(file.path, os::read_file(file.source), file.mode);
        else
            root.write(file.path, file.content, file.mode);
        if (file.path == kMachineId)
            remove_copy_of_machine_id(root);
        if (file.directory_mode != 0755)
            set_directory_mode(root, file);
    }
}

}  // namespace vprov::render
