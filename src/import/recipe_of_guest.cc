#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/enum_names.h"
#include "import/import.h"
#include "import/toml_text.h"

namespace vprov::imports {
namespace {
using namespace hypervisor;

class GuestImport {
  public:
    GuestImport(const Guest& guest, const std::filesystem::path& folder) : guest_(guest), folder_(folder) {}

    Imported run() {
        out_.string("name", guest_.name);
        out_.table("[system]");
        out_.string("distribution", "none");
        out_.yes("agent", guest_.agent);
        write_kernel();
        out_.table("[identity]");
        write_hostname();
        for (const auto& vif : guest_.interfaces) write_interface(vif);
        write_domain();
        write_screen();
        for (const auto& disk : guest_.disks) write_disk(disk);
        write_options();
        return {out_.take(), std::move(lost_)};
    }

  private:
    void lose(std::string sentence) { lost_.push_back(std::move(sentence)); }

    std::string path(const std::string& given) {
        if (given.empty() || given.starts_with('/'))
            return given;
        auto absolute = (std::filesystem::absolute(folder_) / given).lexically_normal().native();
        lose(fmt::format("the path {} is relative; it is taken as {}", quote(given), quote(absolute)));
        return absolute;
    }

    void write_kernel() {
        out_.table("[system.kernel]");
        out_.string("path", path(guest_.kernel));
        if (guest_.kernel.empty() && !guest_.ramdisk.empty())
            lose(fmt::format("the ramdisk {} has no kernel", quote(guest_.ramdisk)));
        else
            out_.string("initrd", path(guest_.ramdisk));
    }

    void write_hostname() {
        const auto& name = guest_.hostname;
        const bool good = name.size() <= 63 &&
                          name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos &&
                          !name.starts_with('-') && !name.ends_with('-');
        if (good)
            out_.string("hostname", name);
        else
            lose(fmt::format("the host name {} is none: lower-case letters, digits and '-' are wanted", quote(name)));
    }

    void write_interface(const GuestInterface& vif) {
        out_.table("[[network]]");
        auto mac = vif.mac;
        std::transform(mac.begin(), mac.end(), mac.begin(), [](char c) { return c >= 'A' && c <= 'F' ? c + 32 : c; });
        out_.string("mac", mac.empty() ? "auto" : mac);
        out_.string("bridge", vif.bridge);
        out_.string("type", name_in(kVifTypeNames, vif.type));
        out_.string("model", vif.model);
        if (vif.ip.find(' ') == std::string::npos)
            out_.string("ip", vif.ip);
        else
            lose(fmt::format("the addresses {} of an interface: one is kept by a recipe at most", quote(vif.ip)));
        out_.string("rate", vif.rate);
        out_.string("script", vif.script);
        out_.string("vifname", vif.vifname);
        if (!vif.forwards.empty() || !vif.segment.empty())
            lose("vprov_vif of an interface: a recipe has no key for it");
        for (const auto& [key, value] : vif.other)
            lose(fmt::format("{} of an interface, {}: a recipe has no key for it", quote(key), quote(value)));
    }

    void write_cmdline() {
        constexpr std::string_view kRoot = "root=";
        const std::string_view cmdline = guest_.cmdline;
        const auto space = std::min(cmdline.find(' '), cmdline.size());
        const auto first = cmdline.substr(0, space);
        const bool has_root = first.starts_with(kRoot) && first.size() > kRoot.size() &&
                              first.find_first_of(",\"'\\") == std::string_view::npos;
        if (has_root)
            out_.string("root", first.substr(kRoot.size()));
        out_.string("extra", has_root ? cmdline.substr(std::min(space + 1, cmdline.size())) : cmdline);
    }

    void write_domain() {
        constexpr std::uint64_t kLeastMemory = 32;
        out_.table("[domain]");
        out_.string("type", name_in(kTypeNames, guest_.type));
        out_.string("uuid", guest_.uuid);
        if (guest_.memory_mib < kLeastMemory)
            lose(fmt::format("its memory of {}M: a recipe gives 32M at least", guest_.memory_mib));
        out_.string("memory", fmt::format("{}M", std::max(guest_.memory_mib, kLeastMemory)));
        if (guest_.maxmem_mib != 0)
            out_.string("maxmem", fmt::format("{}M", std::max(guest_.maxmem_mib, kLeastMemory)));
        out_.number("vcpus", guest_.vcpus);
        if (guest_.maxvcpus != 0)
            out_.number("maxvcpus", guest_.maxvcpus);
        write_cmdline();
        out_.string("bootloader", guest_.bootloader);
        out_.list("bootloader_args", guest_.bootloader_args);
        out_.string("firmware", guest_.firmware == Firmware::file
                                    ? guest_.firmware_file
                                    : std::string(name_in(kFirmwareNames, guest_.firmware)));
        write_boot_order();
        out_.string("on_poweroff", name_in(kActionNames, guest_.on_poweroff));
        out_.string("on_reboot", name_in(kActionNames, guest_.on_reboot));
        out_.string("on_crash", name_in(kActionNames, guest_.on_crash));
        out_.yes("sdl", guest_.sdl);
        out_.string("vga", name_in(kScreenNames, guest_.screen));
        if (guest_.videoram_mib != 0)
            out_.number("videoram", guest_.videoram_mib);
        write_usb();
        out_.list("serial", guest_.serial);
    }

    void write_boot_order() {
        std::string order;
        for (const char letter : guest_.boot)
            if (std::string_view("cdn").find(letter) != std::string_view::npos &&
                order.find(letter) == std::string::npos)
                order += letter;
        if (order != guest_.boot)
            lose(fmt::format("'boot', {}: a recipe's has each of c, d and n once at most", quote(guest_.boot)));
        out_.string("boot", order);
    }

    void write_usb() {
        for (const auto& device : guest_.usbdevices)
            if (device != "tablet")
                lose(fmt::format("the USB device {}: a recipe has no key for it", quote(device)));
        const bool has_tablet =
            std::find(guest_.usbdevices.begin(), guest_.usbdevices.end(), "tablet") != guest_.usbdevices.end();
        out_.yes("usb_tablet", has_tablet);
        if (guest_.usb && guest_.usbdevices.empty())
            lose("'usb': a recipe has a key for a USB tablet only");
    }

    void write_screen() {
        if (!guest_.vnc)
            return;
        out_.table("[domain.vnc]");
        out_.yes("enabled", true);
        if (guest_.vnclisten.find_first_not_of("0123456789abcdefABCDEF.:") == std::string::npos)
            out_.string("listen", guest_.vnclisten);
        else
            lose(fmt::format("'vnclisten', {}: a recipe has an address there", quote(guest_.vnclisten)));
        if (guest_.vncdisplay)
            out_.number("display", *guest_.vncdisplay);
        if (guest_.vncunused == false)
            lose("'vncunused': where the display is taken, the next one is used");
        out_.string("keymap", guest_.keymap);
        if (guest_.vncpasswd && !guest_.vncpasswd->empty()) {
            out_.key("password", "{ random = true }");
            lose(
                "VNC's password: recipes hold none, and a new one is made up while building; a file with it can be "
                "given "
                "as [domain.vnc] password = { file = \"FILE\" }");
        }
    }

    void write_disk(const GuestDisk& disk) {
        out_.table("[[domain.disk]]");
        out_.string("path", disk.script.empty() ? path(disk.target) : disk.target);
        out_.string("guest", disk.vdev);
        if (disk.format != DiskFormat::raw && disk.format != DiskFormat::empty)
            out_.string("format", name_in(kFormatNames, disk.format));
        out_.yes("cdrom", disk.cdrom);
        out_.yes("readonly", !disk.writable && !disk.cdrom);
        out_.string("backend", name_in(kBackendNames, disk.backend));
        out_.string("script", disk.script);
        if (disk.discard)
            out_.key("discard", *disk.discard ? "true" : "false");
        if (!disk.backend_domain.empty())
            lose(fmt::format("the backend {} of the disk {}: a recipe has no key for it", quote(disk.backend_domain),
                             disk.vdev));
        if (disk.direct_io_safe)
            lose(fmt::format("'direct-io-safe' of the disk {}: a recipe has no key for it", disk.vdev));
    }

    void write_options() {
        out_.table("[domain.xl]");
        for (const auto& [key, option] : guest_.other) {
            if (key == "spicepasswd") {
                lose("SPICE's password: recipes hold none");
                continue;
            }
            if (const auto* items = std::get_if<std::vector<std::string>>(&option))
                out_.key(key, toml_list(*items));
            else
                out_.key(key, toml_string(std::get<std::string>(option)));
        }
    }

    const Guest& guest_;
    std::filesystem::path folder_;
    TomlText out_;
    std::vector<std::string> lost_;
};

}  // namespace

Imported recipe_of_guest(const Guest& guest, const std::filesystem::path& folder) {
    return GuestImport(guest, folder).run();
}

}  // namespace vprov::imports
