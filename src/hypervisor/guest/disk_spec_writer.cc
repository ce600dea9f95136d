#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_string.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/enum_names.h"

namespace vprov::hypervisor {
namespace {

void check(const GuestDisk& disk) {
    const auto is_device_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (disk.vdev.empty() || !std::all_of(disk.vdev.begin(), disk.vdev.end(), is_device_letter))
        refuse_to_write("the guest device", disk.vdev, "it must be lower-case letters and digits, like xvda1");
    if (disk.target.empty() && !disk.cdrom)
        refuse_to_write("the disk", disk.vdev, "it names no file or device");
    if (disk.target.ends_with(','))
        refuse_to_write("the disk file", disk.target, "it ends with a comma");
    for (const auto& [what, value] : {std::pair<std::string_view, std::string_view>{"script", disk.script},
                                      {"backend domain", disk.backend_domain}})
        if (value.find(',') != std::string_view::npos)
            refuse_to_write(fmt::format("the disk's {}", what), value, "it has a comma");
}

// What the old spelling has no words for, and both write alike: ",backendtype=phy,discard".
std::string common_options(const GuestDisk& disk) {
    std::string out;
    if (disk.backend != DiskBackend::automatic)
        out += fmt::format(",backendtype={}", name_in(kBackendNames, disk.backend));
    if (!disk.backend_domain.empty())
        out += ",backend=" + disk.backend_domain;
    if (disk.discard)
        out += *disk.discard ? ",discard" : ",no-discard";
    if (disk.direct_io_safe)
        out += ",direct-io-safe";
    return out;
}

std::string today(const GuestDisk& disk) {
    auto spec = fmt::format("format={},vdev={},access={}",
                            name_in(kFormatNames, disk.target.empty() ? DiskFormat::empty : disk.format), disk.vdev,
                            disk.writable && !disk.cdrom ? "rw" : "ro");
    if (disk.cdrom)
        spec += ",devtype=cdrom";
    spec += common_options(disk);
    if (!disk.script.empty())
        spec += ",script=" + disk.script;
    if (!disk.target.empty())
        spec += ",target=" + disk.target;
    return spec;
}

constexpr std::string_view kBlock = "block-";

// "phy:", "file:", "tap:qcow2:", "nbd:": what made xend choose a backend, and tells xl the format.
std::string old_prefix(const GuestDisk& disk) {
    if (disk.script.starts_with(kBlock))
        return disk.script.substr(kBlock.size()) + ":";
    switch (disk.format) {
        case DiskFormat::raw:
            return disk.target.starts_with("/dev/") || disk.backend == DiskBackend::phy ? "phy:" : "file:";
        case DiskFormat::qcow:
        case DiskFormat::qcow2:
        case DiskFormat::vhd:
            return fmt::format("tap:{}:", name_in(kFormatNames, disk.format));
        case DiskFormat::qed:
        case DiskFormat::vmdk:
        case DiskFormat::vdi:
        case DiskFormat::vhdx:
        case DiskFormat::empty:
            break;
    }
    return "";
}

std::string old(const GuestDisk& disk, GuestType type) {
    const bool is_emulated = type == GuestType::hvm && (disk.vdev.starts_with("hd") || disk.vdev.starts_with("sd"));
    std::string spec;
    if (!disk.target.empty())
        spec = old_prefix(disk) + disk.target;
    return fmt::format("{},{}{}{},{}{}", spec, is_emulated ? "ioemu:" : "", disk.vdev, disk.cdrom ? ":cdrom" : "",
                       disk.writable && !disk.cdrom ? "w" : "r", common_options(disk));
}

// The old spelling has no names for its parts, so much of what a target may contain would be taken for another part.
bool is_read_as(const std::string& spec, const GuestDisk& disk) {
    try {
        return parse_disk_spec(spec) == disk;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

std::string write_disk_spec(const GuestDisk& disk, Dialect dialect, GuestType type) {
    check(disk);
    if (dialect == Dialect::xm)
        if (auto spec = old(disk, type); is_read_as(spec, disk))
            return spec;
    return today(disk);
}

}  // namespace vprov::hypervisor
