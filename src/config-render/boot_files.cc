#include "config-render/boot_files.h"

#include <algorithm>

#include "base/text.h"
#include "config-render/templates.h"
#include "partition/boot/grub_core.h"

namespace vprov::render {
namespace {
using kainjow::mustache::data;

constexpr const char* kSerial = "--unit=0 --speed=115200 --word=8 --parity=no --stop=1";
constexpr const char* kGrowScript = "/usr/local/sbin/grow-root-partition";
constexpr const char* kGrowUnit = "/etc/systemd/system/grow-root-partition.service";

// A BIOS has no console but the screen; UEFI speaks on the serial port by itself, and Xen's GRUB on Xen's console.
bool has_serial(const plan::BootPlan& boot) {
    return boot.platform == "i386-pc";
}

std::string_view terminals(const plan::BootPlan& boot) {
    return has_serial(boot) ? "console serial" : "console";
}

std::string system_name(const plan::Plan& plan) {
    return plan.recipe.system.distribution == "ubuntu" ? "Ubuntu" : "Debian GNU/Linux";
}

void set_terminals(data& values, const plan::BootPlan& boot) {
    values["timeout"] = fmt::format("{}", boot.timeout);
    values["has_serial"] = has_serial(boot);
    values["serial"] = kSerial;
    values["has_terminals"] = true;
    values["terminals"] = std::string(terminals(boot));
}

struct Entry {
    std::string title, id, words;
};

std::string menu_entry(const plan::Plan& plan, const std::string& kernel, const Entry& entry) {
    const auto& filesystem = plan.boot.filesystem;
    data modules{data::type::list};
    for (const auto& module : partition::modules_for(filesystem)) modules << data{"module", module};
    data values;
    values["title"] = entry.title;
    values["id"] = fmt::format("gnulinux-{}-{}", entry.id, plan.layout.root().uuid_text());
    values["modules"] = std::move(modules);
    values["uuid"] = filesystem.uuid;
    values["root"] = plan.layout.root().uuid_text();
    values["version"] = kernel;
    // where /boot is a file system of its own, its files are at the top
    values["folder"] = filesystem.directory.starts_with("/boot/") ? "/boot" : "";
    values["file"] = "vmlinuz-" + kernel;
    values["initrd"] = "initrd.img-" + kernel;
    values["words"] = entry.words;
    return rendered("grub-entry", values);
}

std::string menu(const plan::Plan& plan, const std::vector<std::string>& kernels) {
    const auto system = system_name(plan);
    const auto& cmdline = plan.boot.cmdline;
    data values;
    set_terminals(values, plan.boot);
    values["system"] = system;
    values["root"] = plan.layout.root().uuid_text();
    std::string entries;
    for (const auto& kernel : kernels) {
        const auto title = fmt::format("{}, with Linux {}", system, kernel);
        entries += menu_entry(plan, kernel, {title, kernel + "-advanced", cmdline});
        entries += menu_entry(plan, kernel, {title + " (recovery mode)", kernel + "-recovery", "single " + cmdline});
    }
    values["first"] = menu_entry(plan, kernels.at(0), {system, "simple", cmdline});
    values["entries"] = std::string(trimmed(entries));
    return rendered("grub.cfg", values);
}

std::string settings(const plan::Plan& plan) {
    data values;
    set_terminals(values, plan.boot);
    values["cmdline"] = shell_quote(plan.boot.cmdline);
    return rendered("default-grub", values);
}

}  // namespace

std::vector<GuestFile> grub_files(const plan::Plan& plan, const std::vector<std::string>& kernels) {
    if (plan.boot.method == recipe::BootMethod::direct || kernels.empty())
        return {};
    return {{"/etc/default/grub.d/vprov.cfg", settings(plan)},
            {"/boot/grub/grubenv", partition::empty_environment()},
            {"/boot/grub/grub.cfg", menu(plan, kernels), 0444}};
}

std::vector<GuestFile> grow_files(const plan::Plan& plan) {
    if (!plan.boot.grow || plan.layout.root().number == 0)
        return {};
    GuestFile enabled{"/etc/systemd/system/local-fs.target.wants/grow-root-partition.service", kGrowUnit};
    enabled.is_link = true;
    return {{kGrowScript, rendered("grow-root-partition", {}), 0755},
            {kGrowUnit, rendered("grow-root.service", {})},
            enabled};
}

}  // namespace vprov::render
