#include "config-render/filesystems.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "config-render/templates.h"

namespace vprov::render {
namespace {
using kainjow::mustache::data;
using partition::DiskPlan;
using partition::Volume;
using recipe::MountBy;

// fstab(5): blanks in a field are octal.
std::string field(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == ' ' || c == '\t' || c == '\\' || c == '\n' || c == '#')
            out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
        else
            out += c;
    }
    return out;
}

std::string source(const DiskPlan& disk, const Volume& volume, MountBy by) {
    if (by == MountBy::device)
        return "/dev/" + volume.guest;
    if (by == MountBy::label && !volume.label.empty())
        return "LABEL=" + volume.label;
    if (by == MountBy::partuuid && disk.table != partition::Table::none)
        return "PARTUUID=" + partuuid_text(disk, volume);
    return "UUID=" + volume.uuid_text();
}

data line(std::string_view source, std::string_view mount, std::string_view type, std::string_view options,
          unsigned dump, unsigned pass) {
    data entry;
    entry["source"] = std::string(source);
    entry["mount"] = fmt::format("{:<15}", field(mount));
    entry["type"] = fmt::format("{:<7}", type);
    entry["options"] = fmt::format("{:<15}", field(options));
    entry["dump"] = fmt::format("{:<7}", dump);
    entry["pass"] = std::to_string(pass);
    return entry;
}

struct Mounted {
    const DiskPlan* disk = nullptr;
    const Volume* volume = nullptr;
};

std::vector<Mounted> in_order(const partition::DiskLayout& layout) {
    std::vector<Mounted> all;
    for (const auto& disk : layout.disks)
        for (const auto& volume : disk.volumes)
            if (volume.is_swap() || !volume.mount.empty())
                all.push_back({&disk, &volume});
    // a mount point sorts after the directory it lies in
    std::ranges::stable_sort(all, [](const Mounted& a, const Mounted& b) {
        return a.volume->is_swap() != b.volume->is_swap() ? b.volume->is_swap()
                                                          : !a.volume->is_swap() && a.volume->mount < b.volume->mount;
    });
    return all;
}

}  // namespace

std::string fstab(const plan::Plan& plan) {
    data entries{data::type::list};
    for (const auto& [disk, volume] : in_order(plan.layout))
        entries << line(source(*disk, *volume, plan.recipe.system.fstab), volume->is_swap() ? "none" : volume->mount,
                        name(volume->filesystem), volume->options, volume->dump, volume->pass);
    for (const auto& mount : plan.recipe.mounts)
        entries << line(mount.source, mount.target, mount.filesystem, mount.options, 0, 0);
    return rendered("fstab", data{"entries", entries});
}

}  // namespace vprov::render
