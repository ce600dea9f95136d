#include "hypervisor/guest/qemu_devices.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/device_spec.h"

namespace vprov::hypervisor {
namespace {

constexpr int kIdeDisks = 4;  // two channels of two
constexpr int kScsiDisks = 16;

// bootindex=N for a device of the class `letter` ("c" disk, "d" CD, "n" network), in the order of guest.boot.
class BootOrder {
  public:
    explicit BootOrder(const Guest& guest)
        : letters_(!guest.kernel.empty() ? ""
                   : guest.boot.empty()  ? "cd"
                                         : guest.boot) {}

    bool has(char letter) const { return letters_.find(letter) != std::string_view::npos; }
    void add_to(QemuObject& device, char letter) {
        constexpr std::size_t kPerClass = 100;
        if (has(letter))
            device.emplace_back("bootindex",
                                static_cast<std::int64_t>(letters_.find(letter) * kPerClass + ++seen_[letter]));
    }

  private:
    std::string letters_;
    std::map<char, std::size_t> seen_;
};

std::string_view block_driver(DiskFormat format) {
    switch (format) {
        case DiskFormat::raw:
            return "raw";
        case DiskFormat::qcow:
            return "qcow";
        case DiskFormat::qcow2:
            return "qcow2";
        case DiskFormat::vhd:
            return "vpc";
        case DiskFormat::qed:
            return "qed";
        case DiskFormat::vmdk:
            return "vmdk";
        case DiskFormat::vdi:
            return "vdi";
        case DiskFormat::vhdx:
            return "vhdx";
        case DiskFormat::empty:
            break;
    }
    return "raw";
}

void add_slot(QemuObject& device, unsigned slot) {
    if (slot > 0)
        device.emplace_back("addr", fmt::format("{:#x}", slot));
}

std::vector<DiskLayer> layers_by_name(const GuestDisk& disk) {
    return {{disk.target, disk.format, false}};
}

class DiskDevices {
  public:
    DiskDevices(const Guest& guest, const QemuHost& host) : guest_(guest), host_(host), boot_(guest) {}

    QemuDisk disk(std::size_t i) {
        const GuestDisk& disk = guest_.disks[i];
        const auto node = fmt::format("disk{}", i);
        QemuDisk out{std::nullopt, device(disk)};
        if (!disk.target.empty()) {
            const bool is_open = i < host_.layers.size() && !host_.layers[i].empty();
            out.content = qemu_content(disk, node, is_open ? host_.layers[i] : layers_by_name(disk));
            out.device.emplace_back("drive", node);
        }
        boot_.add_to(out.device, disk.cdrom ? 'd' : 'c');
        return out;
    }

  private:
    [[noreturn]] void fail(const GuestDisk& disk, std::string_view cause) const {
        throw error(ErrorKind::hypervisor, "cannot give {} the disk {}: {}", quote(guest_.name), quote(disk.vdev),
                    cause);
    }

    QemuObject device(const GuestDisk& disk) {
        const auto name = parse_device_name(disk.vdev);
        if (name.index < 0)
            fail(disk, "the device must be named like xvda, hda or sda");
        switch (disk_bus(guest_, disk)) {
            case DiskBus::virtio:
                return virtio(disk, name);
            case DiskBus::ide:
                return ide(disk, name);
            case DiskBus::scsi:
                break;
        }
        return scsi(disk, name);
    }

    QemuObject virtio(const GuestDisk& disk, const DeviceName&) {
        if (disk.target.empty())
            fail(disk, "an empty CD drive must be one of hda to hdd");
        if (!taken_.insert({disk.vdev, 0}).second)
            fail(disk, "the device is given twice");
        QemuObject device = {{"driver", "virtio-blk-pci"}, {"id", disk.vdev}, {"serial", disk.vdev}};
        add_slot(device, disk.pci_slot);
        return device;
    }

    QemuObject ide(const GuestDisk& disk, const DeviceName& name) {
        if (name.index >= kIdeDisks)
            fail(disk, "there are hda to hdd only");
        if (!disk.writable && !disk.cdrom)
            fail(disk, "a disk on an IDE bus cannot be read-only; name it xvdX or sdX");
        take_slot(disk, name);
        return {{"driver", disk.cdrom ? "ide-cd" : "ide-hd"},
                {"bus", fmt::format("ide.{}", name.index / 2)},
                {"unit", std::int64_t{name.index % 2}},
                {"id", disk.vdev}};
    }

    QemuObject scsi(const GuestDisk& disk, const DeviceName& name) {
        if (name.index >= kScsiDisks)
            fail(disk, "there are sda to sdp only");
        take_slot(disk, name);
        return {{"driver", disk.cdrom ? "scsi-cd" : "scsi-hd"},
                {"bus", fmt::format("{}.0", kScsiBus)},
                {"scsi-id", std::int64_t{name.index}},
                {"id", disk.vdev}};
    }

    void take_slot(const GuestDisk& disk, const DeviceName& name) {
        const auto [place, is_new] = taken_.insert({fmt::format("{}{}", name.prefix, name.index), 0});
        if (!is_new)
            fail(disk, "another disk is there already");
    }

    const Guest& guest_;
    const QemuHost& host_;
    BootOrder boot_;
    std::map<std::string, int> taken_;
};

std::string network_device(const Guest& guest, std::size_t i) {
    const auto& model = guest.interfaces[i].model;
    if (model.empty() || model == "netfront" || model.starts_with("virtio"))
        return "virtio-net-pci";
    constexpr std::array<std::string_view, 8> kModels = {"e1000", "e1000e", "rtl8139", "ne2k_pci",
                                                         "pcnet", "i82551", "i82557b", "i82559er"};
    if (std::find(kModels.begin(), kModels.end(), model) == kModels.end())
        throw error(ErrorKind::hypervisor, "cannot give {} a network card {}: known are netfront, virtio-net and {}",
                    quote(guest.name), quote(model), fmt::join(kModels, ", "));
    return model;
}

// Each has its own range, so that a guest with two cards can tell them apart.
QemuObject user_network(const GuestInterface& vif, unsigned devid) {
    QemuObject network = {
        {"type", "user"}, {"id", fmt::format("net{}", devid)}, {"net", fmt::format("10.0.{}.0/24", devid + 2)}};
    for (const auto& forward : vif.forwards)
        network.emplace_back("hostfwd", fmt::format("{}:{}:{}-:{}", forward.is_udp ? "udp" : "tcp", forward.address,
                                                    forward.port, forward.guest_port));
    for (const std::string_view key : kBootServerKeys)
        if (const auto found = vif.other.find(std::string(key)); found != vif.other.end())
            network.emplace_back(key, found->second);
    return network;
}

}  // namespace

DeviceName parse_device_name(std::string_view name) {
    DeviceName parsed;
    for (const std::string_view prefix : {"xvd", "hd", "sd"}) {
        if (!name.starts_with(prefix))
            continue;
        const auto rest = name.substr(prefix.size());
        const auto letters = std::min(rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), rest.size());
        parsed.partition = rest.substr(letters);
        if (letters == 0 || letters > 2 || parsed.partition.find_first_not_of("0123456789") != std::string::npos)
            return {};
        parsed.prefix = prefix;
        parsed.index = 0;
        for (const char c : rest.substr(0, letters)) parsed.index = 26 * parsed.index + (c - 'a' + 1);
        --parsed.index;
        return parsed;
    }
    return parsed;
}

std::string linux_disk_name(std::string_view prefix, std::size_t index) {
    std::string letters;
    for (auto rest = index + 1; rest > 0; rest = (rest - 1) / 26)
        letters.insert(letters.begin(), static_cast<char>('a' + (rest - 1) % 26));
    return fmt::format("{}{}", prefix, letters);
}

DiskBus disk_bus(const Guest& guest, const GuestDisk& disk) {
    const bool is_hvm = guest.type == GuestType::hvm;
    if (disk.vdev.starts_with("hd") && (is_hvm || disk.cdrom))
        return DiskBus::ide;
    return disk.vdev.starts_with("sd") && is_hvm ? DiskBus::scsi : DiskBus::virtio;
}

std::uint64_t most_memory_mib(const Guest& guest) {
    return std::max(guest.memory_mib, guest.maxmem_mib);
}

unsigned most_vcpus(const Guest& guest) {
    return std::max({guest.vcpus, guest.maxvcpus, 1U});
}

QemuObject qemu_vcpu(Engine engine, unsigned index) {
    return {{"driver", engine == Engine::kvm ? "host-x86_64-cpu" : "max-x86_64-cpu"},
            {"id", fmt::format("vcpu{}", index)},
            {"socket-id", std::int64_t{0}},
            {"core-id", std::int64_t{index}},
            {"thread-id", std::int64_t{0}}};
}

QemuObject qemu_content(const GuestDisk& disk, std::string_view node, const std::vector<DiskLayer>& layers) {
    QemuObject content;
    std::string prefix;  // of the properties of a layer
    for (const auto& layer : layers) {
        content.emplace_back(prefix + "driver", std::string(block_driver(layer.format)));
        if (prefix.empty()) {
            content.emplace_back("node-name", std::string(node));
            content.emplace_back("read-only", !disk.writable);
            content.emplace_back("discard", "unmap");
        }
        content.emplace_back(prefix + "file.driver", layer.is_device ? "host_device" : "file");
        content.emplace_back(prefix + "file.filename", layer.file);
        prefix += "backing.";
    }
    return content;
}

std::vector<QemuDisk> qemu_disks(const Guest& guest, const QemuHost& host) {
    DiskDevices devices(guest, host);
    std::vector<QemuDisk> disks;
    for (std::size_t i = 0; i < guest.disks.size(); ++i) disks.push_back(devices.disk(i));
    return disks;
}

unsigned interface_devid(const Guest& guest, std::size_t index) {
    const auto& other = guest.interfaces[index].other;
    const auto found = other.find("devid");
    const auto text = found == other.end() ? std::string_view() : std::string_view(found->second);
    unsigned devid = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), devid);
    return !text.empty() && failure == std::errc{} && end == text.data() + text.size() ? devid
                                                                                       : static_cast<unsigned>(index);
}

std::vector<QemuInterface> qemu_interfaces(const Guest& guest, const QemuHost& host) {
    BootOrder boot(guest);
    std::vector<QemuInterface> interfaces;
    for (std::size_t i = 0; i < guest.interfaces.size(); ++i) {
        const auto tap = i < host.tap_fds.size() ? host.tap_fds[i] : std::nullopt;
        const auto devid = interface_devid(guest, i);
        const auto net = fmt::format("net{}", devid);
        QemuInterface out;
        if (tap)
            out.backend = {{"type", "tap"}, {"id", net}, {"fd", std::to_string(*tap)}};
        else
            out.backend = user_network(guest.interfaces[i], devid);
        out.device = {{"driver", network_device(guest, i)},
                      {"netdev", net},
                      {"id", fmt::format("vif{}", devid)},
                      {"mac", interface_mac(guest, i)}};
        add_slot(out.device, guest.interfaces[i].pci_slot);
        if (!boot.has('n'))
            out.device.emplace_back("romfile", "");
        boot.add_to(out.device, 'n');
        interfaces.push_back(std::move(out));
    }
    return interfaces;
}

void append_disks(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv) {
    const auto is_scsi = [&](const GuestDisk& disk) { return disk_bus(guest, disk) == DiskBus::scsi; };
    if (std::any_of(guest.disks.begin(), guest.disks.end(), is_scsi))
        argv.insert(argv.end(), {"-device", fmt::format("virtio-scsi-pci,id={}", kScsiBus)});
    for (const auto& disk : qemu_disks(guest, host)) {
        if (disk.content)
            argv.insert(argv.end(), {"-blockdev", qemu_option(*disk.content)});
        argv.insert(argv.end(), {"-device", qemu_option(disk.device, "driver")});
    }
}

void append_interfaces(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv) {
    for (const auto& interface : qemu_interfaces(guest, host))
        argv.insert(argv.end(), {"-netdev", qemu_option(interface.backend, "type"), "-device",
                                 qemu_option(interface.device, "driver")});
}

}  // namespace vprov::hypervisor
