#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_keys.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {
namespace {

[[noreturn]] void refuse(std::string_view what, std::string_view value, std::string_view cause) {
    throw error(ErrorKind::recipe, "cannot write {} {} to the domain configuration: {}", what, quote(value), cause);
}

// A string of xl's grammar. A backslash is doubled: xl reads escapes.
std::string cfg_string(std::string_view what, std::string_view value) {
    const char mark = value.find('"') == std::string_view::npos ? '"' : '\'';
    if (mark == '\'' && value.find('\'') != std::string_view::npos)
        refuse(what, value, "it has quotes of both kinds");
    std::string text(1, mark);
    for (const char c : value) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            refuse(what, value, "it has a control character");
        if (c == '\\')
            text += '\\';
        text += c;
    }
    return text + mark;
}

std::string_view type_name(GuestType type) {
    switch (type) {
        case GuestType::pv:
            return "pv";
        case GuestType::pvh:
            return "pvh";
        case GuestType::hvm:
            return "hvm";
    }
    return "?";
}

std::string disk_spec(const GuestDisk& disk) {
    const auto is_device_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (disk.vdev.empty() || !std::all_of(disk.vdev.begin(), disk.vdev.end(), is_device_letter))
        refuse("the guest device", disk.vdev, "it must be lower-case letters and digits, like xvda1");
    if (disk.target.empty() && !disk.cdrom)
        refuse("the disk", disk.vdev, "it names no file or device");
    if (disk.target.ends_with(','))
        refuse("the disk file", disk.target, "it ends with a comma");
    auto spec =
        fmt::format("format={},vdev={},access={}", format_name(disk.target.empty() ? DiskFormat::empty : disk.format),
                    disk.vdev, disk.writable && !disk.cdrom ? "rw" : "ro");
    if (disk.cdrom)
        spec += ",devtype=cdrom";
    if (!disk.target.empty())
        spec += ",target=" + disk.target;
    return cfg_string("the disk", spec);
}

std::string vif_spec(const GuestInterface& vif) {
    std::string spec;
    const auto add = [&](std::string_view key, std::string_view value) {
        if (value.empty())
            return;
        if (value.find(',') != std::string_view::npos || trimmed(value) != value)
            refuse(fmt::format("the vif's {}", key), value, "it has a comma, or blanks around it");
        spec += fmt::format("{}{}={}", spec.empty() ? "" : ",", key, value);
    };
    add("mac", vif.mac);
    add("bridge", vif.bridge);
    add("model", vif.model);
    for (const auto& [key, value] : vif.other) add(key, value);
    return cfg_string("the vif", spec);
}

class Writer {
  public:
    void line(std::string_view key, std::string_view value) { text_ += fmt::format("{} = {}\n", key, value); }
    void string(std::string_view key, std::string_view value) {
        if (!value.empty())
            line(key, cfg_string(key, value));
    }
    void number(std::string_view key, std::uint64_t value) { line(key, fmt::format("{}", value)); }
    void list(std::string_view key, const std::vector<std::string>& items) {
        if (!items.empty())
            line(key, fmt::format("[\n    {},\n]", joined(items, ",\n    ")));
    }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

}  // namespace

std::string write_xl_cfg(const Guest& guest) {
    if (!is_valid_guest_name(guest.name))
        refuse("the name", guest.name, "letters, digits and . _ + - only, at most 63, a letter or digit first");
    Writer out;
    out.string("name", guest.name);
    out.string("uuid", guest.uuid);
    out.string("type", type_name(guest.type));
    out.string("kernel", guest.kernel);
    out.string("ramdisk", guest.ramdisk);
    out.string("cmdline", guest.cmdline);
    out.string("boot", guest.boot);
    out.number("memory", guest.memory_mib);
    if (guest.maxmem_mib != 0)
        out.number("maxmem", guest.maxmem_mib);
    out.number("vcpus", guest.vcpus);
    if (guest.maxvcpus != 0)
        out.number("maxvcpus", guest.maxvcpus);
    std::vector<std::string> items;
    for (const auto& disk : guest.disks) items.push_back(disk_spec(disk));
    out.list("disk", items);
    items.clear();
    for (const auto& vif : guest.interfaces) items.push_back(vif_spec(vif));
    out.list("vif", items);
    if (guest.vnc)
        out.number("vnc", 1);
    out.string("vnclisten", guest.vnclisten);
    out.string("on_poweroff", action_name(guest.on_poweroff));
    out.string("on_reboot", action_name(guest.on_reboot));
    out.string("on_crash", action_name(guest.on_crash));
    return out.take();
}

}  // namespace vprov::hypervisor
