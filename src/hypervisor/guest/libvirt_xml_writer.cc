#include <pugixml.hpp>
#include <sstream>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_string.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/enum_names.h"
#include "hypervisor/guest/libvirt_names.h"
#include "hypervisor/guest/libvirt_xml.h"
#include "hypervisor/guest/qemu_devices.h"

namespace vprov::hypervisor {
namespace {
using pugi::xml_node;

// Text that XML can hold.
const char* checked(const std::string& text) {
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            refuse_to_write("the text", text, "it has a control character");
    return text.c_str();
}

void add_text(xml_node parent, const char* name, const std::string& text) {
    if (trimmed(text) != text)  // which readers of XML leave out
        refuse_to_write(fmt::format("the {}", name), text, "it has blanks around it");
    if (!text.empty())
        parent.append_child(name).text().set(checked(text));
}

void set(xml_node node, const char* name, const std::string& value) {
    if (!value.empty())
        node.append_attribute(name).set_value(checked(value));
}

xml_node add(xml_node parent, const char* name, const char* attribute, const std::string& value) {
    auto node = parent.append_child(name);
    set(node, attribute, value);
    return node;
}

class Writer {
  public:
    Writer(const Guest& guest, LibvirtDriver driver) : guest_(guest), driver_(driver) {}

    std::string run() {
        domain_ = add(document_, "domain", "type", std::string(name_in(kDriverNames, driver_)));
        add_text(domain_, "name", guest_.name);
        add_text(domain_, "uuid", guest_.uuid);
        write_size();
        if (!guest_.bootloader.empty()) {
            add_text(domain_, "bootloader", guest_.bootloader);
            add_text(domain_, "bootloader_args", joined(guest_.bootloader_args, " "));
        }
        write_os();
        write_features();
        add(domain_, "clock", "offset", guest_.other.contains("localtime") ? "localtime" : "utc");
        add_text(domain_, "on_poweroff", std::string(name_in(kActionNames, guest_.on_poweroff)));
        add_text(domain_, "on_reboot", std::string(name_in(kActionNames, guest_.on_reboot)));
        add_text(domain_, "on_crash", std::string(name_in(kActionNames, guest_.on_crash)));
        devices_ = domain_.append_child("devices");
        for (const auto& disk : guest_.disks) write_disk(disk);
        write_buses();
        for (const auto& vif : guest_.interfaces) write_interface(vif);
        write_ports();
        write_screen();
        std::ostringstream out;
        document_.save(out, "  ", pugi::format_indent | pugi::format_no_declaration, pugi::encoding_utf8);
        return out.str();
    }

  private:
    bool is_xen() const { return driver_ == LibvirtDriver::xen; }

    void write_size() {
        const auto amount = [&](const char* name, std::uint64_t mib) {
            auto node = add(domain_, name, "unit", "MiB");
            node.text().set(std::to_string(mib).c_str());
        };
        amount("memory", guest_.maxmem_mib != 0 ? guest_.maxmem_mib : guest_.memory_mib);
        amount("currentMemory", guest_.memory_mib);
        auto vcpu = domain_.append_child("vcpu");
        if (guest_.maxvcpus != 0)
            set(vcpu, "current", std::to_string(guest_.vcpus));
        vcpu.text().set(std::to_string(guest_.maxvcpus != 0 ? guest_.maxvcpus : guest_.vcpus).c_str());
    }

    void write_os() {
        auto os = domain_.append_child("os");
        if (guest_.firmware == Firmware::uefi)
            set(os, "firmware", "efi");
        if (guest_.firmware == Firmware::bios)
            set(os, "firmware", "bios");
        auto type = add(os, "type", "arch", "x86_64");
        const auto& known = os_type(guest_.type);
        if (is_xen())
            set(type, "machine", std::string(known.machine));
        type.text().set(std::string(known.name).c_str());
        add_text(os, "kernel", guest_.kernel);
        add_text(os, "initrd", guest_.ramdisk);
        add_text(os, "cmdline", guest_.cmdline);
        for (const char letter : guest_.boot) add(os, "boot", "dev", std::string(name_in(kBootNames, letter)));
    }

    void write_features() {
        if (guest_.type != GuestType::hvm)
            return;
        auto features = domain_.append_child("features");
        for (const auto* feature : {"acpi", "apic", "pae"})
            if (!guest_.other.contains(feature))
                features.append_child(feature);
        if (driver_ == LibvirtDriver::kvm)
            add(domain_, "cpu", "mode", "host-passthrough");
    }

    void write_disk(const GuestDisk& disk) {
        const bool is_device = disk.target.starts_with("/dev/");
        auto node = add(devices_, "disk", "type", is_device ? "block" : "file");
        set(node, "device", disk.cdrom ? "cdrom" : "disk");
        if (!disk.target.empty()) {
            auto driver = node.append_child("driver");
            set(driver, "name", is_xen() ? std::string(name_in(kDiskDriverNames, disk.backend)) : "qemu");
            set(driver, "type", std::string(name_in(kDiskTypeNames, disk.format)));
            if (disk.discard)
                set(driver, "discard", *disk.discard ? "unmap" : "ignore");
            add(node, "source", is_device ? "dev" : "file", disk.target);
        }
        if (!disk.backend_domain.empty())
            add(node, "backenddomain", "name", disk.backend_domain);
        auto target = add(node, "target", "dev", disk.vdev);
        set(target, "bus", std::string(bus_of(disk.vdev)));
        if (!disk.writable)
            node.append_child("readonly");
    }

    void write_buses() {
        if (is_xen())
            return;
        for (const auto& disk : guest_.disks)
            if (disk.vdev.starts_with("sd")) {
                auto controller = add(devices_, "controller", "type", "scsi");
                set(controller, "index", "0");
                set(controller, "model", "virtio-scsi");
                return;
            }
    }

    void write_interface(const GuestInterface& vif) {
        auto node = add(devices_, "interface", "type", vif.bridge.empty() ? "network" : "bridge");
        if (!vif.mac.empty())
            add(node, "mac", "address", vif.mac);
        if (vif.bridge.empty())
            add(node, "source", "network", "default");
        else
            add(node, "source", "bridge", vif.bridge);
        for (const auto address : split_words(vif.ip)) add(node, "ip", "address", std::string(address));
        if (!vif.script.empty())
            add(node, "script", "path", vif.script);
        if (!vif.vifname.empty())
            add(node, "target", "dev", vif.vifname);
        const auto model = vif.type == VifType::vif ? "netfront" : vif.model;
        if (!model.empty())
            add(node, "model", "type", model);
        if (const auto rate = kilobytes_per_second(vif.rate); rate != 0)
            add(node.append_child("bandwidth"), "outbound", "average", std::to_string(rate));
    }

    void write_ports() {
        for (const auto& port : guest_.serial) {
            const bool is_file = port.starts_with("file:");
            auto node = add(devices_, "serial", "type", port == "pty" ? "pty" : is_file ? "file" : "dev");
            if (port != "pty")
                add(node, "source", "path", is_file ? port.substr(5) : port);
        }
        if (is_xen() && guest_.type != GuestType::hvm)
            add(add(devices_, "console", "type", "pty"), "target", "type", "xen");
        for (const auto& device : guest_.usbdevices) set(add(devices_, "input", "type", device), "bus", "usb");
        if (is_xen())
            return;
        auto rng = add(devices_, "rng", "model", "virtio");
        auto backend = add(rng, "backend", "model", "random");
        backend.text().set("/dev/urandom");
        if (guest_.agent)
            set(add(add(devices_, "channel", "type", "unix"), "target", "type", "virtio"), "name",
                std::string(kAgentPort));
    }

    void write_screen() {
        constexpr unsigned kFirstPort = 5900;
        if (guest_.vnc) {
            auto graphics = add(devices_, "graphics", "type", "vnc");
            set(graphics, "port", guest_.vncdisplay ? std::to_string(kFirstPort + *guest_.vncdisplay) : "-1");
            set(graphics, "autoport", guest_.vncdisplay ? "no" : "yes");
            set(graphics, "listen", guest_.vnclisten);
            set(graphics, "keymap", guest_.keymap);
            if (guest_.vncpasswd)
                set(graphics, "passwd", *guest_.vncpasswd);
        }
        if (guest_.sdl)
            add(devices_, "graphics", "type", "sdl");
        if (guest_.screen == Screen::automatic)
            return;
        constexpr unsigned kKibInMib = 1024;
        auto model =
            add(devices_.append_child("video"), "model", "type", std::string(name_in(kVideoNames, guest_.screen)));
        if (guest_.videoram_mib != 0)
            set(model, "vram", std::to_string(guest_.videoram_mib * kKibInMib));
    }

    const Guest& guest_;
    LibvirtDriver driver_;
    pugi::xml_document document_;
    xml_node domain_, devices_;
};

}  // namespace

std::string write_libvirt_xml(const Guest& guest, LibvirtDriver driver) {
    return Writer(guest, driver).run();
}

}  // namespace vprov::hypervisor
