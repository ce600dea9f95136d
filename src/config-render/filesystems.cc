#include "config-render/filesystems.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "config-render/templates.h"

namespace vprov::render {
namespace {
using kainjow::mustache::data;
using partition::DiskPlan;
using partition::Filesystem;

bool is_swap(const DiskPlan& disk) {
    return disk.filesystem == Filesystem::swap;
}

std::string options(const DiskPlan& disk) {
    if (!disk.options.empty() && disk.options != "defaults")
        return disk.options;
    if (is_swap(disk))
        return "sw";
    return disk.mount == "/" ? "errors=remount-ro" : "defaults";
}

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

char pass(const DiskPlan& disk) {
    if (is_swap(disk))
        return '0';
    return disk.mount == "/" ? '1' : '2';
}

}  // namespace

std::string fstab(const partition::DiskLayout& layout) {
    auto disks = layout.disks;
    // a mount point sorts after the directory it lies in
    std::ranges::stable_sort(disks, [](const DiskPlan& a, const DiskPlan& b) {
        return is_swap(a) != is_swap(b) ? is_swap(b) : !is_swap(a) && a.mount < b.mount;
    });
    data entries{data::type::list};
    for (const auto& disk : disks) {
        if (!is_swap(disk) && disk.mount.empty())
            continue;
        data entry;
        entry["uuid"] = disk.uuid.text();
        entry["mount"] = fmt::format("{:<15}", is_swap(disk) ? "none" : field(disk.mount));
        entry["type"] = fmt::format("{:<7}", name(disk.filesystem));
        entry["options"] = fmt::format("{:<15}", field(options(disk)));
        entry["pass"] = std::string(1, pass(disk));
        entries << entry;
    }
    return rendered("fstab", data{"entries", entries});
}

}  // namespace vprov::render
