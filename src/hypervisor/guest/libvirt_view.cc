#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_string.h"
#include "hypervisor/guest/cfg_values.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/libvirt_xml.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/guest/qemu_devices.h"

namespace vprov::hypervisor {
namespace {

class Viewer {
  public:
    Viewer(const Guest& guest, LibvirtDriver driver) : asked_(guest), driver_(driver) { view_.guest = guest; }

    LibvirtView run() {
        guest_.hostname.clear();  // of use to xm only
        if (guest_.uuid.empty())
            guest_.uuid = guest_uuid(asked_);
        if (guest_.maxmem_mib == guest_.memory_mib)
            guest_.maxmem_mib = 0;
        if (guest_.maxvcpus == guest_.vcpus)
            guest_.maxvcpus = 0;
        view_actions();
        view_firmware();
        for (auto& disk : guest_.disks) view_disk(disk);
        for (auto& vif : guest_.interfaces) view_interface(vif);
        view_bootloader();
        if (driver_ != LibvirtDriver::xen)
            become_pc();
        guest_.cmdline = trimmed(guest_.cmdline);
        drop_unnamed_disks();
        view_screen();
        view_input();
        view_options();
        return std::move(view_);
    }

  private:
    void lose(std::string phrase) { view_.lost.push_back(std::move(phrase)); }

    void view_actions() {
        for (const auto& [key, action] :
             {std::pair<std::string_view, LifecycleAction*>{"on_poweroff", &guest_.on_poweroff},
              {"on_reboot", &guest_.on_reboot}}) {
            const bool restarts = *action == LifecycleAction::coredump_restart;
            if (!restarts && *action != LifecycleAction::coredump_destroy)
                continue;
            lose(fmt::format("the core of {} is left out", key));
            *action = restarts ? LifecycleAction::restart : LifecycleAction::destroy;
        }
    }

    void view_bootloader() {
        auto& arguments = guest_.bootloader_args;
        const auto line = joined(arguments, " ");  // which is all that libvirt has
        const auto words = split_words(line);
        if (std::equal(words.begin(), words.end(), arguments.begin(), arguments.end()) && !guest_.bootloader.empty())
            return;
        if (!guest_.bootloader.empty())
            lose("the blanks in 'bootloader_args' are left out: each word is an argument");
        arguments.clear();
        if (!guest_.bootloader.empty())
            arguments.assign(words.begin(), words.end());
    }

    void view_firmware() {
        auto& firmware = guest_.firmware;
        if (firmware == Firmware::seabios || firmware == Firmware::rombios)
            firmware = Firmware::bios;
        if (firmware != Firmware::automatic && firmware != Firmware::bios && firmware != Firmware::uefi) {
            lose("'firmware' is left out: it is neither bios nor uefi");
            firmware = Firmware::automatic;
            guest_.firmware_file.clear();
        }
        if (guest_.type != GuestType::hvm)
            guest_.boot.clear();
        std::erase(guest_.boot, 'b');
    }

    void view_disk(GuestDisk& disk) {
        if (disk.target.empty() && !disk.cdrom)
            refuse_to_write("the disk", disk.vdev, "it names no file or device");
        if (disk.direct_io_safe)
            lose(fmt::format("'direct-io-safe' of the disk {} is left out", disk.vdev));
        disk.script.clear();
        disk.direct_io_safe = false;
        if (disk.cdrom)
            disk.writable = false;
        if (disk.target.empty())
            disk.format = DiskFormat::empty;
    }

    void view_interface(GuestInterface& vif) {
        for (const auto& [key, value] : vif.other)
            lose(fmt::format("{} of a network interface is left out", quote(key)));
        vif.other.clear();
        if (!vif.forwards.empty() || !vif.segment.empty())
            lose("forward and segment of a network interface are left out: they are vprov's");
        vif.forwards.clear();
        vif.segment.clear();
        std::string addresses;  // with one blank between them
        for (const auto address : split_words(vif.ip))
            addresses += fmt::format("{}{}", addresses.empty() ? "" : " ", address);
        vif.ip = std::move(addresses);
        if (const auto rate = kilobytes_per_second(vif.rate); rate != 0)
            vif.rate = fmt::format("{}KB/s", rate);
        if (vif.type == VifType::vif || vif.model == "netfront") {
            vif.type = VifType::vif;
            vif.model.clear();
        } else {
            vif.type = VifType::automatic;
        }
        if (driver_ == LibvirtDriver::xen && vif.bridge.empty())
            vif.bridge = "xenbr0";  // xl's default
    }

    // libvirt wants absolute paths, and what a script makes a disk of is none.
    void drop_unnamed_disks() {
        std::size_t i = 0;
        std::erase_if(guest_.disks, [&](const GuestDisk& disk) {
            const auto& asked = asked_.disks[i++];
            const bool unnamed = !disk.target.empty() && (!disk.target.starts_with('/') || !asked.script.empty());
            if (unnamed)
                lose(fmt::format("the disk {} is left out: {} is no absolute path", asked.vdev, quote(disk.target)));
            return unnamed;
        });
    }

    // What Xen runs, on the virtual PC that QEMU has.
    void become_pc() {
        if (!guest_.kernel.empty())
            guest_.cmdline = qemu_cmdline(asked_);
        if (!guest_.bootloader.empty())
            lose("'bootloader' is left out: it is Xen's");
        guest_.bootloader.clear();
        guest_.bootloader_args.clear();
        std::size_t virtio_disks = 0;
        for (std::size_t i = 0; i < guest_.disks.size(); ++i) {
            auto& disk = guest_.disks[i];
            disk.backend = DiskBackend::automatic;
            disk.backend_domain.clear();
            if (disk_bus(asked_, asked_.disks[i]) == DiskBus::virtio)
                disk.vdev = linux_disk_name("vd", virtio_disks++);
        }
        for (auto& vif : guest_.interfaces) {
            if (vif.model.empty())
                vif.model = "virtio";
            vif.type = VifType::automatic;
            if (!vif.script.empty() || !vif.ip.empty())
                lose("script and ip of a network interface are left out: they are Xen's");
            vif.script.clear();
            vif.ip.clear();
        }
        guest_.type = GuestType::hvm;
        guest_.serial = {"pty"};
    }

    void view_screen() {
        if (!guest_.vnc) {
            guest_.vnclisten.clear();
            guest_.vncdisplay.reset();
            guest_.vncpasswd.reset();
            guest_.keymap.clear();
        } else if (guest_.vnclisten.empty()) {
            guest_.vnclisten = "127.0.0.1";
        }
        guest_.vncunused.reset();
        if (guest_.vncpasswd && guest_.vncpasswd->empty())
            guest_.vncpasswd.reset();
        const bool has_card = guest_.screen != Screen::automatic && guest_.screen != Screen::none;
        if (guest_.videoram_mib != 0 && !has_card) {
            lose("'videoram' is left out: 'vga' does not say of which card");
            guest_.videoram_mib = 0;
        }
    }

    void view_input() {
        std::erase_if(guest_.usbdevices, [&](const std::string& device) {
            const bool known = device == "tablet" || device == "mouse" || device == "keyboard";
            if (!known)
                lose(fmt::format("the USB device {} is left out", quote(device)));
            return !known;
        });
        guest_.usb = !guest_.usbdevices.empty();
        std::erase_if(guest_.serial, [&](const std::string& port) {
            const bool known = port == "pty" || port.starts_with("file:/") || port.starts_with("/dev/");
            if (!known)
                lose(fmt::format("the serial port {} is left out", quote(port)));
            return !known;
        });
    }

    void view_options() {
        if (guest_.agent && driver_ == LibvirtDriver::xen)
            lose("'vprov_agent' is left out: it is QEMU's");
        guest_.agent = guest_.agent && driver_ != LibvirtDriver::xen;
        auto options = std::move(guest_.other);
        guest_.other.clear();
        for (auto& [key, option] : options) {
            const auto* text = std::get_if<std::string>(&option);
            const auto number = text ? parse_number(*text) : std::nullopt;
            const bool is_xen = driver_ == LibvirtDriver::xen;  // elsewhere these two are always there
            const bool is_feature = key == "acpi" || (is_xen && (key == "apic" || key == "pae"));
            if (is_feature && number) {
                if (*number == 0 && guest_.type == GuestType::hvm)
                    guest_.other[key] = "0";
            } else if (key == "localtime" && number) {
                if (*number != 0)
                    guest_.other[key] = "1";
            } else {
                lose(fmt::format("{} is left out", quote(key)));
            }
        }
    }

    const Guest& asked_;
    LibvirtDriver driver_;
    LibvirtView view_;
    Guest& guest_ = view_.guest;
};

}  // namespace

LibvirtView libvirt_view(const Guest& guest, LibvirtDriver driver) {
    return Viewer(guest, driver).run();
}

}  // namespace vprov::hypervisor
