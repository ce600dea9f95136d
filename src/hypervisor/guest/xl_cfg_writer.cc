#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_string.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/enum_names.h"
#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {
namespace {

// A CD that xm gave a pv guest by `cdrom = "..."`, outside of its disks: the last one, as the reader has it.
bool is_cdrom_key(const Guest& guest, const GuestDisk& disk) {
    return guest.type == GuestType::pv && &disk == &guest.disks.back() &&
           disk == GuestDisk{disk.target, DiskFormat::raw, std::string(kXmCdDevice), false, true} &&
           !disk.target.empty();
}

class Writer {
  public:
    Writer(const Guest& guest, Dialect dialect) : guest_(guest), dialect_(dialect) {}

    std::string run() {
        string("name", guest_.name);
        string("uuid", guest_.uuid);
        string("hostname", guest_.hostname);
        write_type();
        write_kernel();
        string("boot", guest_.boot);
        number("memory", guest_.memory_mib);
        if (guest_.maxmem_mib != 0)
            number("maxmem", guest_.maxmem_mib);
        number("vcpus", guest_.vcpus);
        if (guest_.maxvcpus != 0)
            number("maxvcpus", guest_.maxvcpus);
        write_devices();
        write_display();
        write_input();
        string("on_poweroff", name_in(kActionNames, guest_.on_poweroff));
        string("on_reboot", name_in(kActionNames, guest_.on_reboot));
        string("on_crash", name_in(kActionNames, guest_.on_crash));
        for (const auto& [key, option] : guest_.other) write_option(key, option);
        return std::move(text_);
    }

  private:
    void line(std::string_view key, std::string_view value) { text_ += fmt::format("{} = {}\n", key, value); }
    void string(std::string_view key, std::string_view value) {
        if (!value.empty())
            line(key, cfg_string(key, value));
    }
    void number(std::string_view key, std::uint64_t value) { line(key, fmt::format("{}", value)); }
    void flag(std::string_view key, bool value) { number(key, value ? 1 : 0); }
    void list(std::string_view key, const std::vector<std::string>& items) {
        if (!items.empty())
            line(key, fmt::format("[\n    {},\n]", joined(items, ",\n    ")));
    }
    void words(std::string_view key, const std::vector<std::string>& words) {
        std::vector<std::string> quoted;
        for (const auto& word : words) quoted.push_back(cfg_string(key, word));
        line(key, fmt::format("[ {} ]", joined(quoted, ", ")));
    }

    void write_type() {
        if (dialect_ == Dialect::xl || guest_.type == GuestType::pvh)  // which xm did not have
            string("type", name_in(kTypeNames, guest_.type));
        else if (guest_.type == GuestType::hvm)
            string("builder", "hvm");
    }

    void write_kernel() {
        string("kernel", guest_.kernel);
        string("ramdisk", guest_.ramdisk);
        if (dialect_ == Dialect::xl)
            string("cmdline", guest_.cmdline);
        else
            write_root_and_extra();
        string("bootloader", guest_.bootloader);
        if (!guest_.bootloader_args.empty())
            words("bootloader_args", guest_.bootloader_args);
        if (guest_.firmware == Firmware::file)
            string("firmware", guest_.firmware_file);
        else
            string("firmware", name_in(kFirmwareNames, guest_.firmware));
    }

    void write_root_and_extra() {
        constexpr std::string_view kRoot = "root=";
        const std::string_view cmdline = guest_.cmdline;
        const auto space = cmdline.find(' ');
        const bool has_root = cmdline.starts_with(kRoot) && cmdline.size() > kRoot.size() && space != kRoot.size();
        if (!has_root || space + 1 == cmdline.size()) {  // a blank at the end would be lost
            string("extra", cmdline);
            return;
        }
        string("root", cmdline.substr(kRoot.size(), space == std::string_view::npos ? space : space - kRoot.size()));
        if (space != std::string_view::npos)
            string("extra", cmdline.substr(space + 1));
    }

    void write_devices() {
        std::vector<std::string> items;
        std::string cdrom;
        for (const auto& disk : guest_.disks) {
            if (dialect_ == Dialect::xm && is_cdrom_key(guest_, disk))
                cdrom = disk.target;
            else
                items.push_back(cfg_string("the disk", write_disk_spec(disk, dialect_, guest_.type)));
        }
        list("disk", items);
        string("cdrom", cdrom);
        items.clear();
        for (const auto& vif : guest_.interfaces) items.push_back(cfg_string("the vif", write_vif_spec(vif, dialect_)));
        list("vif", items);
        write_vprov_vifs();
    }

    // Both xl and xm pass over a key that they do not know, but not over one in a vif.
    void write_vprov_vifs() {
        std::vector<std::string> items;
        std::size_t used = 0;
        for (const auto& vif : guest_.interfaces) {
            items.push_back(cfg_string("the vprov_vif", write_vprov_vif(vif)));
            if (!vif.forwards.empty() || !vif.segment.empty())
                used = items.size();
        }
        items.resize(used);
        list("vprov_vif", items);
    }

    // xl picks up a pv guest's keys for its framebuffer; xm wanted them in `vfb`.
    void write_display() {
        const bool has_card = guest_.type == GuestType::hvm;
        if (dialect_ == Dialect::xm && !has_card && (guest_.vnc || guest_.sdl))
            return write_framebuffer();
        if (guest_.vnc || has_card)  // without the key xl opens VNC for hvm
            flag("vnc", guest_.vnc);
        string("vnclisten", guest_.vnclisten);
        if (guest_.vncdisplay)
            number("vncdisplay", *guest_.vncdisplay);
        if (guest_.vncunused)
            flag("vncunused", *guest_.vncunused);
        if (guest_.vncpasswd)
            line("vncpasswd", cfg_string("vncpasswd", *guest_.vncpasswd));
        string("keymap", guest_.keymap);
        if (guest_.sdl || has_card)
            flag("sdl", guest_.sdl);
        if (dialect_ == Dialect::xm && guest_.screen == Screen::standard)
            flag("stdvga", true);
        else
            string("vga", name_in(kScreenNames, guest_.screen));
        if (guest_.videoram_mib != 0)
            number("videoram", guest_.videoram_mib);
    }

    void write_framebuffer() {
        std::string spec;
        const auto add = [&](std::string_view key, std::string_view value) {
            if (value.find(',') != std::string_view::npos || trimmed(value) != value)
                refuse_to_write(fmt::format("the vfb's {}", key), key == "vncpasswd" ? "..." : value,
                                "it has a comma, or blanks around it");
            spec += fmt::format("{}{}={}", spec.empty() ? "" : ", ", key, value);
        };
        if (guest_.vnc)
            add("vnc", "1");
        if (guest_.sdl)
            add("sdl", "1");
        if (!guest_.vnclisten.empty())
            add("vnclisten", guest_.vnclisten);
        if (guest_.vncdisplay)
            add("vncdisplay", fmt::format("{}", *guest_.vncdisplay));
        if (guest_.vncunused)
            add("vncunused", *guest_.vncunused ? "1" : "0");
        if (guest_.vncpasswd)
            add("vncpasswd", *guest_.vncpasswd);
        if (!guest_.keymap.empty())
            add("keymap", guest_.keymap);
        list("vfb", {cfg_string("the vfb", spec)});
        string("vga", name_in(kScreenNames, guest_.screen));
        if (guest_.videoram_mib != 0)
            number("videoram", guest_.videoram_mib);
    }

    void write_input() {
        if (guest_.usb)
            flag("usb", true);
        if (dialect_ == Dialect::xm && guest_.usbdevices.size() == 1)
            string("usbdevice", guest_.usbdevices.front());
        else if (!guest_.usbdevices.empty())
            words("usbdevice", guest_.usbdevices);
        if (guest_.serial.size() == 1)
            string("serial", guest_.serial.front());
        else if (!guest_.serial.empty())
            words("serial", guest_.serial);
        if (guest_.agent)
            flag("vprov_agent", true);
    }

    void write_option(const std::string& key, const GuestOption& option) {
        if (const auto* items = std::get_if<std::vector<std::string>>(&option))
            return words(key, *items);
        const auto& text = std::get<std::string>(option);
        const bool is_number = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
        line(key, is_number ? text : cfg_string(key, text));
    }

    const Guest& guest_;
    Dialect dialect_;
    std::string text_;
};

}  // namespace

std::string write_xl_cfg(const Guest& guest, Dialect dialect) {
    if (!is_valid_guest_name(guest.name))
        refuse_to_write("the name", guest.name,
                        "letters, digits and . _ + - only, at most 63, a letter or digit first");
    return Writer(guest, dialect).run();
}

}  // namespace vprov::hypervisor
