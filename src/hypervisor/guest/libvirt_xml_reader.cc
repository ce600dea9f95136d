#include <algorithm>
#include <pugixml.hpp>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_values.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/libvirt_names.h"
#include "hypervisor/guest/libvirt_xml.h"

namespace vprov::hypervisor {
namespace {
using pugi::xml_node;

// What every domain has, or what has no counterpart that is missed.
constexpr auto kIgnoredElements = std::to_array<std::string_view>(
    {"title",    "description", "metadata",        "clock",     "features",    "cpu",
     "pm",       "resource",    "seclabel",        "devices",   "os",          "name",
     "uuid",     "memory",      "currentMemory",   "vcpu",      "on_poweroff", "on_reboot",
     "on_crash", "bootloader",  "bootloader_args", "iothreads", "genid"});
constexpr auto kIgnoredDevices = std::to_array<std::string_view>(
    {"emulator", "controller", "console", "memballoon", "rng", "channel", "panic", "watchdog", "audio"});

template <std::size_t Count>
bool is_in(const std::array<std::string_view, Count>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

class Reader {
  public:
    Reader(std::string_view text, std::string_view file) : text_(text), file_(file) {}

    ReadGuest run() {
        const auto parsed = document_.load_buffer(text_.data(), text_.size());
        if (!parsed)
            fail_at(parsed.offset, fmt::format("cannot read the domain: {}", parsed.description()));
        domain_ = document_.child("domain");
        if (!domain_)
            fail(document_.first_child(), "cannot read the domain: there is no <domain>");
        read_identity();
        read_size();
        read_os();
        read_features();
        read_action("on_poweroff", guest_.on_poweroff);
        read_action("on_reboot", guest_.on_reboot);
        read_action("on_crash", guest_.on_crash);
        read_devices();
        for (const auto& node : domain_.children())
            if (node.type() == pugi::node_element && !is_in(kIgnoredElements, node.name()))
                warn(node);
        return std::move(result_);
    }

  private:
    int line_of(std::ptrdiff_t offset) const {
        const auto end =
            text_.begin() + std::clamp<std::ptrdiff_t>(offset, 0, static_cast<std::ptrdiff_t>(text_.size()));
        return 1 + static_cast<int>(std::count(text_.begin(), end, '\n'));
    }
    [[noreturn]] void fail_at(std::ptrdiff_t offset, const std::string& cause) const {
        throw error(ErrorKind::hypervisor, "{}:{}: {}", file_, line_of(offset), cause);
    }
    [[noreturn]] void fail(xml_node node, const std::string& cause) const { fail_at(node.offset_debug(), cause); }
    void warn(xml_node node, std::string_view of = "") {
        result_.warnings.push_back(
            fmt::format("{}:{}: <{}>{} is not understood", file_, line_of(node.offset_debug()), node.name(), of));
    }
    static std::string text(xml_node node) { return std::string(trimmed(node.text().get())); }

    void read_identity() {
        guest_.name = text(domain_.child("name"));
        if (!is_valid_guest_name(guest_.name))
            fail(domain_,
                 fmt::format("cannot use the name {}: letters, digits and . _ + - only, at most 63, a letter or "
                             "digit first",
                             quote(guest_.name)));
        guest_.uuid = text(domain_.child("uuid"));
        driver_ = value_in(kDriverNames, domain_.attribute("type").value());
        if (!driver_)
            fail(domain_, fmt::format("cannot use the domain's type {}: known are xen, kvm and qemu",
                                      quote(domain_.attribute("type").value())));
    }

    // An amount of memory in MiB; KiB is libvirt's unit where none is given.
    std::uint64_t mebibytes(xml_node node) const {
        constexpr Names<std::uint64_t, 12> kUnits = {{{"", 1024},
                                                      {"KiB", 1024},
                                                      {"k", 1024},
                                                      {"MiB", 1024 * 1024},
                                                      {"M", 1024 * 1024},
                                                      {"GiB", 1024 * 1024 * 1024},
                                                      {"G", 1024 * 1024 * 1024},
                                                      {"b", 1},
                                                      {"bytes", 1},
                                                      {"KB", 1000},
                                                      {"MB", 1000000},
                                                      {"GB", 1000000000}}};
        constexpr std::uint64_t kMostMib = 16ULL << 20, kMib = 1ULL << 20;
        const auto unit = value_in(kUnits, node.attribute("unit").value());
        const auto amount = parse_number(text(node));
        if (!unit || !amount || *amount > (kMostMib * kMib) / *unit || *amount * *unit < kMib)
            fail(node, fmt::format("cannot use <{}>: {} {} is no amount of memory", node.name(), quote(text(node)),
                                   node.attribute("unit").value()));
        return *amount * *unit / kMib;
    }

    unsigned count(xml_node node, const std::string& number) const {
        constexpr std::uint64_t kMostVcpus = 4096;
        const auto value = parse_number(number);
        if (!value || *value < 1 || *value > kMostVcpus)
            fail(node,
                 fmt::format("cannot use <{}>: {} is not between 1 and {}", node.name(), quote(number), kMostVcpus));
        return static_cast<unsigned>(*value);
    }

    void read_size() {
        const auto memory = domain_.child("memory");
        if (!memory)
            fail(domain_, "cannot read the domain: it has no <memory>");
        const auto most = mebibytes(memory);
        const auto current = domain_.child("currentMemory");
        guest_.memory_mib = current ? mebibytes(current) : most;
        guest_.maxmem_mib = most > guest_.memory_mib ? most : 0;
        const auto vcpu = domain_.child("vcpu");
        const auto most_vcpus = vcpu ? count(vcpu, text(vcpu)) : 1;
        const auto now = vcpu.attribute("current");
        guest_.vcpus = now ? count(vcpu, now.value()) : most_vcpus;
        guest_.maxvcpus = most_vcpus > guest_.vcpus ? most_vcpus : 0;
    }

    void read_os() {
        guest_.bootloader = text(domain_.child("bootloader"));
        const auto args = text(domain_.child("bootloader_args"));
        for (const auto word : split_words(args)) guest_.bootloader_args.emplace_back(word);
        const auto os = domain_.child("os");
        read_type(os.child("type"));
        guest_.kernel = text(os.child("kernel"));
        guest_.ramdisk = text(os.child("initrd"));
        guest_.cmdline = text(os.child("cmdline"));
        if (const auto root = text(os.child("root")); !root.empty())
            guest_.cmdline = fmt::format("root={}{}{}", root, guest_.cmdline.empty() ? "" : " ", guest_.cmdline);
        const std::string_view firmware = os.attribute("firmware").value();
        const std::string_view loader = os.child("loader").text().get();
        if (firmware == "efi" || os.child("loader").attribute("type").value() == std::string_view("pflash") ||
            loader.find("OVMF") != std::string_view::npos || loader.find("ovmf") != std::string_view::npos)
            guest_.firmware = Firmware::uefi;
        else if (firmware == "bios")
            guest_.firmware = Firmware::bios;
        for (const auto& boot : os.children("boot"))
            if (const auto letter = value_in(kBootNames, boot.attribute("dev").value()))
                guest_.boot += *letter;
    }

    void read_type(xml_node type) {
        const std::string_view machine = type.attribute("machine").value();
        const auto name = text(type);
        if (name == "hvm" || machine == "xenfv")
            guest_.type = GuestType::hvm;
        else if (name == "xenpvh" || machine == "xenpvh")
            guest_.type = GuestType::pvh;
        else if (name == "linux" || name == "xen" || (name.empty() && !guest_.bootloader.empty()))
            guest_.type = GuestType::pv;
        else
            fail(type ? type : domain_,
                 fmt::format("cannot use <os>: the type {} is none of hvm, linux, xen, xenpvh", quote(name)));
    }

    void read_features() {
        const auto features = domain_.child("features");
        if (guest_.type == GuestType::hvm)
            for (const auto* feature : {"acpi", "apic", "pae"})
                if (!features.child(feature) && *driver_ == LibvirtDriver::xen)
                    guest_.other[feature] = "0";
        if (guest_.type == GuestType::hvm && *driver_ != LibvirtDriver::xen && !features.child("acpi"))
            guest_.other["acpi"] = "0";
        if (domain_.child("clock").attribute("offset").value() == std::string_view("localtime"))
            guest_.other["localtime"] = "1";
        for (const auto& feature : features.children())
            if (!is_in(
                    std::to_array<std::string_view>({"acpi", "apic", "pae", "vmport", "hyperv", "kvm", "smm", "hap"}),
                    feature.name()))
                warn(feature, " in <features>");
    }

    void read_action(const char* key, LifecycleAction& action) {
        const auto node = domain_.child(key);
        if (!node)
            return;
        const auto known = value_in(kActionNames, text(node));
        if (!known)
            fail(node, fmt::format("cannot use <{}>: {} is not known", key, quote(text(node))));
        action = *known;
    }

    void read_devices() {
        for (const auto& node : domain_.child("devices").children()) {
            const std::string_view name = node.name();
            if (name == "disk")
                read_disk(node);
            else if (name == "interface")
                read_interface(node);
            else if (name == "graphics")
                read_graphics(node);
            else if (name == "video")
                read_video(node.child("model"));
            else if (name == "input")
                read_input(node);
            else if (name == "channel" && node.child("target").attribute("name").value() == kAgentPort)
                guest_.agent = true;
            else if (name == "serial")
                read_serial(node);
            else if (node.type() == pugi::node_element && !is_in(kIgnoredDevices, name))
                warn(node, " in <devices>");
        }
    }

    void read_disk(xml_node node) {
        GuestDisk disk;
        const std::string_view device = node.attribute("device").value();
        if (device != "" && device != "disk" && device != "cdrom")
            return warn(node, fmt::format(" of the device {}", quote(device)));
        disk.cdrom = device == "cdrom";
        disk.vdev = node.child("target").attribute("dev").value();
        if (disk.vdev.empty())
            fail(node, "cannot read a <disk>: its <target> has no dev");
        const auto source = node.child("source");
        for (const auto* attribute : {"file", "dev"})
            if (const auto value = source.attribute(attribute))
                disk.target = value.value();
        if (disk.target.empty() && !disk.cdrom)
            return warn(node, fmt::format(" of the type {}", quote(node.attribute("type").value())));
        const auto driver = node.child("driver");
        if (const auto type = driver.attribute("type")) {
            const auto format = value_in(kDiskTypeNames, type.value());
            if (!format)
                fail(driver, fmt::format("cannot use the disk's format {}: known are raw, qcow, qcow2, vpc and qed",
                                         quote(type.value())));
            disk.format = *format;
        }
        if (disk.target.empty())
            disk.format = DiskFormat::empty;
        if (*driver_ == LibvirtDriver::xen)
            disk.backend =
                value_in(kDiskDriverNames, driver.attribute("name").value()).value_or(DiskBackend::automatic);
        if (const auto discard = driver.attribute("discard"))
            disk.discard = discard.value() == std::string_view("unmap");
        disk.backend_domain = node.child("backenddomain").attribute("name").value();
        disk.writable = !disk.cdrom && !node.child("readonly");
        guest_.disks.push_back(std::move(disk));
    }

    void read_interface(xml_node node) {
        GuestInterface vif;
        const std::string_view type = node.attribute("type").value();
        const auto source = node.child("source");
        vif.bridge = source.attribute("bridge").value();
        if (vif.bridge.empty() &&
            !(type == "network" && source.attribute("network").value() == std::string_view("default")))
            warn(node, fmt::format(" of the type {}", quote(type)));
        vif.mac = node.child("mac").attribute("address").value();
        vif.script = node.child("script").attribute("path").value();
        vif.vifname = node.child("target").attribute("dev").value();
        vif.model = node.child("model").attribute("type").value();
        if (vif.model == "netfront") {
            vif.type = VifType::vif;
            vif.model.clear();
        }
        for (const auto& ip : node.children("ip"))
            for (const auto address : split_words(ip.attribute("address").value()))
                vif.ip += fmt::format("{}{}", vif.ip.empty() ? "" : " ", address);
        if (const auto average = node.child("bandwidth").child("outbound").attribute("average"))
            vif.rate = fmt::format("{}KB/s", average.value());
        if (!vif.rate.empty() && kilobytes_per_second(vif.rate) == 0)
            fail(node, fmt::format("cannot use <bandwidth>: {} is no number", quote(vif.rate)));
        guest_.interfaces.push_back(std::move(vif));
    }

    void read_graphics(xml_node node) {
        const std::string_view type = node.attribute("type").value();
        if (type == "sdl") {
            guest_.sdl = true;
            return;
        }
        if (type != "vnc")
            return warn(node, fmt::format(" of the type {}", quote(type)));
        constexpr std::uint64_t kFirstPort = 5900, kLastPort = 65535;
        guest_.vnc = true;
        const auto port = parse_number(node.attribute("port").value());
        if (port && *port >= kFirstPort && *port <= kLastPort &&
            node.attribute("autoport").value() != std::string_view("yes"))
            guest_.vncdisplay = static_cast<unsigned>(*port - kFirstPort);
        guest_.vnclisten = node.attribute("listen").value();
        if (guest_.vnclisten.empty())
            guest_.vnclisten = node.child("listen").attribute("address").value();
        guest_.keymap = node.attribute("keymap").value();
        if (const auto password = node.attribute("passwd"))
            guest_.vncpasswd = password.value();
    }

    void read_video(xml_node model) {
        constexpr std::uint64_t kKibInMib = 1024;
        const auto screen = value_in(kVideoNames, model.attribute("type").value());
        if (!screen)
            return warn(model, fmt::format(" {}", quote(model.attribute("type").value())));
        guest_.screen = *screen;
        if (const auto vram = parse_number(model.attribute("vram").value()); vram && *vram <= UINT32_MAX)
            guest_.videoram_mib = static_cast<unsigned>(*vram / kKibInMib);
    }

    void read_input(xml_node node) {
        if (node.attribute("bus").value() != std::string_view("usb"))
            return;  // PS/2 and Xen's own are always there
        guest_.usb = true;
        guest_.usbdevices.emplace_back(node.attribute("type").value());
    }

    void read_serial(xml_node node) {
        const std::string_view type = node.attribute("type").value();
        const std::string path = node.child("source").attribute("path").value();
        if (type == "pty")
            guest_.serial.emplace_back("pty");
        else if (type == "file" || type == "dev")
            guest_.serial.push_back(type == "file" ? "file:" + path : path);
        else
            warn(node, fmt::format(" of the type {}", quote(type)));
    }

    std::string_view text_, file_;
    pugi::xml_document document_;
    xml_node domain_;
    std::optional<LibvirtDriver> driver_;
    ReadGuest result_;
    Guest& guest_ = result_.guest;
};

}  // namespace

ReadGuest read_libvirt_xml(std::string_view text, std::string_view file) {
    return Reader(text, file).run();
}

}  // namespace vprov::hypervisor
