#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_keys.h"
#include "hypervisor/guest/cfg_python.h"
#include "hypervisor/guest/cfg_text.h"
#include "hypervisor/guest/cfg_values.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/enum_names.h"
#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {
namespace {

bool is_uuid(std::string_view text) {
    constexpr std::string_view kPattern = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    return text.size() == kPattern.size() &&
           std::equal(text.begin(), text.end(), kPattern.begin(), [](char c, char shape) {
               return shape == '-' ? c == '-' : std::isxdigit(static_cast<unsigned char>(c)) != 0;
           });
}

class Reader {
  public:
    Reader(std::map<std::string, CfgEntry> entries, std::string_view file) : values_(std::move(entries), file) {}

    ReadGuest run() {
        read_identity();
        read_type();
        read_kernel();
        read_firmware();
        read_size();
        read_action("on_poweroff", guest_.on_poweroff);
        read_action("on_reboot", guest_.on_reboot);
        read_action("on_crash", guest_.on_crash);
        read_disks();
        read_interfaces();
        read_display();
        read_input();
        read_other_keys();
        return std::move(result_);
    }

  private:
    void warn(int line, const std::string& text) {
        result_.warnings.push_back(fmt::format("{}: {}", values_.at(line), text));
    }

    void read_identity() {
        guest_.name = values_.string("name");
        if (guest_.name.empty())
            values_.fail(values_.line_of("name"), "cannot read the domain: it has no name (name=\"...\")");
        if (!is_valid_guest_name(guest_.name))
            values_.fail(values_.line_of("name"),
                         fmt::format("cannot use the name {}: letters, digits and . _ + - only, at most 63, "
                                     "a letter or digit first",
                                     quote(guest_.name)));
        guest_.hostname = values_.string("hostname");
        guest_.uuid = values_.string("uuid");
        if (!guest_.uuid.empty() && !is_uuid(guest_.uuid))
            values_.fail(values_.line_of("uuid"),
                         fmt::format("cannot use 'uuid': {} is not 8-4-4-4-12 hex digits", quote(guest_.uuid)));
    }

    void read_type() {
        const auto builder = values_.string("builder");
        if (const auto text = values_.string("type"); !text.empty()) {
            const auto type = value_in(kTypeNames, text);
            if (!type)
                values_.fail(values_.line_of("type"),
                             fmt::format("cannot use 'type': {} is none of pv, pvh, hvm", quote(text)));
            guest_.type = *type;
        } else if (builder == "hvm") {
            guest_.type = GuestType::hvm;
        } else if (!builder.empty() && builder != "generic") {
            values_.fail(values_.line_of("builder"),
                         fmt::format("cannot use 'builder': {} is neither 'hvm' nor 'generic'; "
                                     "write type=\"pv\", \"pvh\" or \"hvm\"",
                                     quote(builder)));
        } else if (values_.flag("pvh")) {
            guest_.type = GuestType::pvh;
        }
    }

    void read_kernel() {
        guest_.kernel = values_.string("kernel");
        guest_.ramdisk = values_.string("ramdisk");
        // xm gave a domain its BIOS in this way; xl says so, too, and goes on without
        if (guest_.type == GuestType::hvm && guest_.kernel.substr(guest_.kernel.rfind('/') + 1) == "hvmloader")
            guest_.kernel.clear();
        const auto root = values_.string("root");
        const auto extra = values_.string("extra");
        guest_.cmdline = values_.string("cmdline");
        if (!guest_.cmdline.empty() && (!root.empty() || !extra.empty()))
            warn(values_.line_of(root.empty() ? "extra" : "root"),
                 "'root' and 'extra' do not count: 'cmdline' is given");
        else if (!root.empty())
            guest_.cmdline = extra.empty() ? "root=" + root : fmt::format("root={} {}", root, extra);
        else if (guest_.cmdline.empty())
            guest_.cmdline = extra;
        guest_.bootloader = values_.string("bootloader");
        guest_.bootloader_args = values_.strings("bootloader_args");
    }

    void read_firmware() {
        guest_.boot = values_.string("boot");
        if (guest_.boot.find_first_not_of("abcdn") != std::string::npos)
            values_.fail(values_.line_of("boot"),
                         fmt::format("cannot use 'boot': {} has other letters than a, c, d, n", quote(guest_.boot)));
        const auto bios = values_.string("bios");
        if (const auto firmware = value_in(kFirmwareNames, bios); firmware && bios != "bios" && bios != "uefi")
            guest_.firmware = *firmware;
        else if (!bios.empty())
            values_.fail(values_.line_of("bios"),
                         fmt::format("cannot use 'bios': {} is none of seabios, rombios, ovmf", quote(bios)));
        const auto text = values_.string("firmware");
        if (text.empty())
            return;
        const auto firmware = value_in(kFirmwareNames, text);
        if (!firmware && text.find('/') == std::string::npos)
            values_.fail(values_.line_of("firmware"),
                         fmt::format("cannot use 'firmware': {} is none of bios, uefi, seabios, rombios, ovmf, "
                                     "pvgrub32, pvgrub64, and no path",
                                     quote(text)));
        guest_.firmware = firmware.value_or(Firmware::file);
        if (!firmware)
            guest_.firmware_file = text;
    }

    void read_size() {
        constexpr std::uint64_t kMostMemory = 16ULL << 20;
        constexpr std::uint64_t kMostVcpus = 4096;
        guest_.maxmem_mib = values_.number("maxmem", 0, 1, kMostMemory);
        guest_.memory_mib =
            values_.number("memory", guest_.maxmem_mib ? guest_.maxmem_mib : guest_.memory_mib, 1, kMostMemory);
        if (guest_.maxmem_mib != 0 && guest_.maxmem_mib < guest_.memory_mib)
            values_.fail(values_.line_of("maxmem"), fmt::format("cannot use 'maxmem': {} is less than the memory of {}",
                                                                guest_.maxmem_mib, guest_.memory_mib));
        guest_.vcpus = static_cast<unsigned>(values_.number("vcpus", 1, 1, kMostVcpus));
        guest_.maxvcpus = static_cast<unsigned>(values_.number("maxvcpus", 0, 1, kMostVcpus));
        if (guest_.maxvcpus != 0 && guest_.maxvcpus < guest_.vcpus)
            values_.fail(
                values_.line_of("maxvcpus"),
                fmt::format("cannot use 'maxvcpus': {} is less than the {} of 'vcpus'", guest_.maxvcpus, guest_.vcpus));
    }

    void read_action(const std::string& key, LifecycleAction& action) {
        const auto text = values_.string(key);
        if (text.empty())
            return;
        const auto known = value_in(kActionNames, text);
        if (!known)
            values_.fail(values_.line_of(key),
                         fmt::format("cannot use {}: {} is none of destroy, restart, rename-restart, preserve, "
                                     "coredump-destroy, coredump-restart",
                                     quote(key), quote(text)));
        action = *known;
    }

    // Calls `use` with each string of the list under `key`, adding its place to an error.
    template <class Use>
    void for_each_item(const std::string& key, Use use) {
        const auto* entry = values_.find(key);
        if (!entry)
            return;
        const auto* list = entry->value.list();
        if (!list)
            values_.fail(
                entry->line,
                fmt::format("cannot use {}: it is a string, and a list is needed: {} = [ \"...\" ]", quote(key), key));
        for (const auto& item : *list) {
            if (!item.text())
                values_.fail(item.line,
                             fmt::format("cannot use {}: a list stands in it where a string is needed", quote(key)));
            try {
                use(*item.text(), item.line);
            } catch (Error& e) {
                e.add_context(values_.at(item.line));
                throw;
            }
        }
    }

    void read_disks() {
        for_each_item("disk", [&](const std::string& spec, int) { guest_.disks.push_back(parse_disk_spec(spec)); });
        if (const auto cdrom = values_.string("cdrom"); !cdrom.empty())  // xm's way to give a CD
            guest_.disks.push_back({cdrom, DiskFormat::raw, std::string(kXmCdDevice), false, true});
    }

    void read_interfaces() {
        for_each_item("vif", [&](const std::string& spec, int line) {
            guest_.interfaces.push_back(parse_vif_spec(spec));
            std::erase_if(guest_.interfaces.back().other, [&](const auto& pair) {
                if (!is_vif_key(pair.first))
                    warn(line, fmt::format("{} is not understood in a vif", quote(pair.first)));
                return !is_vif_key(pair.first);
            });
        });
        std::size_t place = 0;
        for_each_item("vprov_vif", [&](const std::string& spec, int) {
            if (place == guest_.interfaces.size())
                throw error(ErrorKind::hypervisor, "cannot use 'vprov_vif': there are more of it than of 'vif'");
            parse_vprov_vif(spec, guest_.interfaces[place++]);
        });
    }

    unsigned display_number(const std::string& text, const std::string& key, int line) const {
        constexpr unsigned kMostDisplays = 59635;  // of port 65535
        const auto number = parse_number(text);
        if (!number || *number > kMostDisplays)
            values_.fail(line,
                         fmt::format("cannot use {}: {} is not the number of a display", quote(key), quote(text)));
        return static_cast<unsigned>(*number);
    }

    void read_display() {
        for_each_item("vfb", [&](const std::string& spec, int line) { read_framebuffer(spec, line); });
        constexpr unsigned kMostVideoMemory = 4096;
        if (values_.find("vnc"))
            guest_.vnc = values_.flag("vnc");
        if (values_.find("sdl"))
            guest_.sdl = values_.flag("sdl");
        if (const auto listen = values_.string("vnclisten"); !listen.empty())
            set_listen(listen, values_.line_of("vnclisten"));
        if (const auto display = values_.string("vncdisplay"); !display.empty())
            guest_.vncdisplay = display_number(display, "vncdisplay", values_.line_of("vncdisplay"));
        if (values_.find("vncunused"))
            guest_.vncunused = values_.flag("vncunused");
        if (const auto password = values_.optional_string("vncpasswd"))
            guest_.vncpasswd = password;
        if (const auto keymap = values_.string("keymap"); !keymap.empty())
            guest_.keymap = keymap;
        if (values_.flag("stdvga"))
            guest_.screen = Screen::standard;
        if (const auto vga = values_.string("vga"); !vga.empty()) {
            const auto screen = value_in(kScreenNames, vga);
            if (!screen)
                values_.fail(values_.line_of("vga"),
                             fmt::format("cannot use 'vga': {} is none of none, stdvga, cirrus, qxl", quote(vga)));
            guest_.screen = *screen;
        }
        guest_.videoram_mib = static_cast<unsigned>(values_.number("videoram", 0, 0, kMostVideoMemory));
    }

    // "ADDRESS" or "ADDRESS:DISPLAY". An IPv6 address has colons of its own, and stands in brackets before a display.
    void set_listen(const std::string& listen, int line) {
        const auto colon = listen.rfind(':');
        const bool has_brackets = listen.starts_with('[') && listen.find("]:") + 1 == colon;
        const bool is_address = colon == std::string::npos || listen.starts_with('[') || listen.find(':') != colon;
        if (is_address && !has_brackets) {
            guest_.vnclisten = listen;
            return;
        }
        guest_.vnclisten = listen.substr(0, colon);
        guest_.vncdisplay = display_number(listen.substr(colon + 1), "vnclisten", line);
    }

    void read_framebuffer(const std::string& spec, int line) {
        for (const auto& [key, value] : split_pairs(spec)) {
            if ((key == "vnc" && value != "0") || (key == "type" && value == "vnc"))
                guest_.vnc = true;
            else if ((key == "sdl" && value != "0") || (key == "type" && value == "sdl"))
                guest_.sdl = true;
            else if (key == "vnclisten")
                set_listen(value, line);
            else if (key == "vncdisplay")
                guest_.vncdisplay = display_number(value, key, line);
            else if (key == "vncunused")
                guest_.vncunused = value != "0";
            else if (key == "vncpasswd")
                guest_.vncpasswd = value;
            else if (key == "keymap")
                guest_.keymap = value;
        }
    }

    // Those that are not empty: xm's files have usbdevice='' for none.
    std::vector<std::string> given_strings(const std::string& key) const {
        auto strings = values_.strings(key);
        std::erase(strings, "");
        return strings;
    }

    void read_input() {
        guest_.usbdevices = given_strings("usbdevice");
        guest_.usb = values_.flag("usb") || !guest_.usbdevices.empty();
        guest_.serial = given_strings("serial");
        guest_.agent = values_.flag("vprov_agent");
    }

    void read_other_keys() {
        std::vector<std::pair<int, std::string>> found;
        for (const auto& [key, entry] : values_.entries()) found.emplace_back(entry.line, key);
        std::sort(found.begin(), found.end());
        const auto used = used_cfg_keys();
        for (const auto& [line, key] : found) {
            if (std::find(used.begin(), used.end(), key) != used.end() || is_leftover_of_xm(key))
                continue;
            if (is_kept_cfg_key(key)) {
                keep(key, values_.find(key)->value);
                continue;
            }
            const auto near = nearest(key, used);
            warn(line, fmt::format("{} is not understood{}", quote(key),
                                   near.empty() ? "" : fmt::format(" (did you mean {}?)", quote(near))));
        }
    }

    void keep(const std::string& key, const CfgValue& value) {
        const auto is_list = [](const CfgValue& item) { return item.list() != nullptr; };
        if (value.text())
            guest_.other[key] = *value.text();
        else if (std::none_of(value.list()->begin(), value.list()->end(), is_list))
            guest_.other[key] = values_.strings(key);
        else
            warn(value.line, fmt::format("{} is not kept: lists in a list are not understood", quote(key)));
    }

    CfgValues values_;
    ReadGuest result_;
    Guest& guest_ = result_.guest;
};

// Of an error "FILE:LINE: ...".
int line_of(const Error& failure, std::string_view file) {
    const auto& message = failure.message();
    const auto start = file.size() + 1;
    const auto end = message.find(':', std::min(start, message.size()));
    if (end == std::string::npos)
        return 0;
    return static_cast<int>(parse_number(std::string_view(message).substr(start, end - start)).value_or(0));
}

// What is not of xl's grammar, as the Python that xm read. Of two mistakes the one that is met later is shown: up to
// there the file is understood.
ReadGuest read_as_python(std::string_view text, std::string_view file, const Error& of_xl) {
    std::map<std::string, CfgEntry> entries;
    try {
        entries = parse_python_cfg(text, file);
    } catch (const Error& of_python) {
        throw line_of(of_python, file) > line_of(of_xl, file) ? of_python : of_xl;
    }
    if (!entries.contains("name"))
        throw of_xl;
    auto read = Reader(std::move(entries), file).run();
    read.warnings.insert(read.warnings.begin(),
                         fmt::format("{} (xl would not take it; read as xm's Python)", of_xl.message()));
    return read;
}

}  // namespace

ReadGuest read_xl_cfg(std::string_view text, std::string_view file) {
    std::map<std::string, CfgEntry> entries;
    try {
        entries = parse_cfg_text(text, file);
    } catch (const Error& e) {
        return read_as_python(text, file, e);
    }
    return Reader(std::move(entries), file).run();
}

}  // namespace vprov::hypervisor
