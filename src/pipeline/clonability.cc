#include "pipeline/clonability.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "config-render/network.h"
#include "pipeline/initrd_names.h"
#include "pipeline/skeleton.h"
#include "plan/fast_boot.h"

namespace vprov::pipeline {
namespace {
using partition::DiskPlan;
using partition::Filesystem;
using partition::Volume;

constexpr std::string_view kFormat = "base format 6";  // raised when the same inputs make another base

std::string why_not_edited(const Volume& volume) {
    const auto filesystem = volume.filesystem;
    if (is_ext(filesystem) || filesystem == Filesystem::swap || filesystem == Filesystem::none)
        return {};
    // the firmware's part holds no identity but the UUID that GRUB looks for
    if (filesystem == Filesystem::vfat && (volume.role == partition::Role::esp || volume.mount.empty()))
        return {};
    return fmt::format("{} is {}", volume.name, name(filesystem));
}

std::string why_not_copied(const DiskPlan& disk) {
    if (!disk.device.empty())
        return fmt::format("{} is the device {}", disk.name, disk.device);
    for (const auto& volume : disk.volumes) {
        if (volume.sizing == partition::Sizing::content || volume.size.value == 0)
            return fmt::format("the size of {} follows from its content", volume.name);
        if (auto cause = why_not_edited(volume); !cause.empty())
            return cause;
    }
    return {};
}

template <class List>
bool any_at_end(const List& list) {
    return std::ranges::any_of(list, [](const auto& added) { return added.stage == recipe::Moment::at_end; });
}

// Whether a skeleton shows what is at the account's places.
bool fits_skeleton(const recipe::User& user) {
    const auto home = user.home.value_or("/home/" + user.name);
    return is_place_of_programs(std::filesystem::path(user.shell).parent_path().native()) &&
           is_in_skeleton(home.substr(1));
}

void replace_all(std::string& text, const std::string& before, const std::string& after) {
    for (auto place = text.find(before); !before.empty() && place != std::string::npos;
         place = text.find(before, place + after.size()))
        text.replace(place, before.size(), after);
}

// In all that names a disk of the guest.
void rename_in_commands(plan::Plan& plan, const std::string& before, const std::string& after) {
    replace_all(plan.kernel_cmdline, before, after);
    replace_all(plan.boot.cmdline, before, after);
    if (plan.boot.filesystem.uuid == before)
        plan.boot.filesystem.uuid = after;
}

void make_anonymous(DiskPlan& disk, plan::Plan& plan) {
    const auto named = disk;
    disk.overlay = false;
    disk.format = partition::ImageFormat::raw;
    disk.image = disk.name + ".img";
    disk.table_uuid = Uuid::derived("vprov base", "table " + disk.name);
    for (auto& volume : disk.volumes) {
        volume.uuid = Uuid::derived("vprov base", volume.name);
        volume.partuuid = Uuid::derived("vprov base", "partition " + volume.name);
    }
    for (std::size_t i = 0; i < disk.volumes.size(); ++i) {
        rename_in_commands(plan, named.volumes[i].uuid_text(), disk.volumes[i].uuid_text());
        rename_in_commands(plan, partuuid_text(named, named.volumes[i]), partuuid_text(disk, disk.volumes[i]));
    }
}

std::string described(const Volume& volume) {
    std::string flags;
    for (const auto flag : volume.flags) flags += fmt::format(",{}", name(flag));
    return fmt::format("volume {} {} {} {} {} {} {} {} {}{} '{}' '{}'\n", volume.name, volume.number, volume.logical,
                       volume.start.value, volume.size.value, name(volume.filesystem), volume.mount, name(volume.role),
                       volume.guest, flags, volume.label, volume.partlabel);
}

std::string described(const plan::BootPlan& boot, bool fast) {
    if (boot.method == recipe::BootMethod::direct)
        return fast ? "boot direct fast\n" : "boot direct\n";
    return fmt::format("boot {} {} {} {} {} {} {} {} {} {}\n", static_cast<int>(boot.method),
                       static_cast<int>(boot.firmware), boot.platform, boot.package, boot.secure_boot, boot.esp,
                       boot.filesystem.type, boot.filesystem.map, boot.filesystem.number, boot.filesystem.directory);
}

}  // namespace

bool is_ext(Filesystem filesystem) {
    return filesystem == Filesystem::ext2 || filesystem == Filesystem::ext3 || filesystem == Filesystem::ext4;
}

bool has_tree(const DiskPlan& disk) {
    return std::ranges::any_of(disk.volumes, [](const Volume& volume) { return !volume.mount.empty(); });
}

const Volume& volume_at(const partition::DiskLayout& layout, std::string_view path) {
    const auto* found = &layout.root();
    for (const auto* volume : layout.volumes()) {
        const std::string_view mount = volume->mount;
        const bool inside = !mount.empty() && (path == mount || (path.starts_with(mount) && path[mount.size()] == '/'));
        if (inside && mount.size() > found->mount.size())
            found = volume;
    }
    return *found;
}

std::string why_not_cloned(const plan::Plan& plan) {
    const auto& recipe = plan.recipe;
    if (any_at_end(recipe.hooks))
        return "the recipe's hooks run in each guest";
    if (any_at_end(recipe.files) || !recipe.directories.empty())
        return "the recipe adds files at the end";
    if (recipe.identity.is_template)
        return "it is a template";
    for (const auto& user : recipe.identity.users)
        if (!fits_skeleton(user))
            return fmt::format("the shell or the home of {} is in an unusual place", user.name);
    for (const auto& disk : plan.layout.disks)
        if (auto cause = why_not_copied(disk); !cause.empty())
            return cause;
    return {};
}

void check_overlays(const plan::Plan& plan) {
    const auto overlay = std::ranges::find(plan.layout.disks, true, &DiskPlan::overlay);
    if (overlay == plan.layout.disks.end())
        return;
    if (const auto cause = why_not_cloned(plan); !cause.empty())
        throw error(ErrorKind::recipe, "{}: cannot make {} an overlay: {}", plan.recipe.file.native(),
                    quote(overlay->name), cause);
}

plan::Plan base_plan(const plan::Plan& plan) {
    auto base = plan;
    std::erase_if(base.layout.disks, [](const auto& disk) { return !has_tree(disk); });
    for (auto& disk : base.layout.disks) make_anonymous(disk, base);
    return base;
}

std::string base_inputs(const plan::Plan& plan, std::string_view layer) {
    auto text = fmt::format("{} vprov {}\nlayer {}\n", kFormat, VPROV_VERSION, layer);
    text += fmt::format("names {}\n", early_archive(render::link_files(plan), 0).size());
    text += fmt::format("kernel {}\n", plan.recipe.system.kernel.path ? "of the host" : plan.kernel_package);
    text += described(plan.boot, plan::boots_fast(plan.recipe));
    for (const auto& disk : base_plan(plan).layout.disks) {
        text += fmt::format("disk {} {} {} {}\n", disk.image, name(disk.table), disk.sector_size, disk.size.value);
        for (const auto& volume : disk.volumes) text += described(volume);
    }
    return text;
}

}  // namespace vprov::pipeline
