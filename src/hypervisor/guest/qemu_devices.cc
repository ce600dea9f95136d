#include "hypervisor/guest/qemu_devices.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {
namespace {

constexpr int kIdeDisks = 4;  // two channels of two
constexpr int kScsiDisks = 16;

// ",bootindex=N" for a device of the class `letter` ("c" disk, "d" CD, "n" network), in the order of guest.boot.
class BootOrder {
  public:
    explicit BootOrder(const Guest& guest)
        : letters_(!guest.kernel.empty() ? ""
                   : guest.boot.empty()  ? "cd"
                                         : guest.boot) {}

    bool has(char letter) const { return letters_.find(letter) != std::string_view::npos; }
    std::string option(char letter) {
        constexpr std::size_t kPerClass = 100;
        const auto place = letters_.find(letter);
        if (place == std::string_view::npos)
            return "";
        return fmt::format(",bootindex={}", place * kPerClass + ++seen_[letter]);
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

class DiskOptions {
  public:
    DiskOptions(const Guest& guest, const QemuHost& host) : guest_(guest), host_(host), boot_(guest) {}

    void append(std::size_t i, std::vector<std::string>& argv) {
        const GuestDisk& disk = guest_.disks[i];
        const auto node = fmt::format("disk{}", i);
        if (!disk.target.empty()) {
            argv.emplace_back("-blockdev");
            argv.push_back(backend(i, node));
        }
        argv.emplace_back("-device");
        argv.push_back(device(disk) + (disk.target.empty() ? "" : ",drive=" + node) +
                       boot_.option(disk.cdrom ? 'd' : 'c'));
    }

  private:
    [[noreturn]] void fail(const GuestDisk& disk, std::string_view cause) const {
        throw error(ErrorKind::hypervisor, "cannot give {} the disk {}: {}", quote(guest_.name), quote(disk.vdev),
                    cause);
    }

    std::string backend(std::size_t i, std::string_view node) const {
        const GuestDisk& disk = guest_.disks[i];
        const bool is_device = i < host_.disk_is_device.size() && host_.disk_is_device[i];
        return fmt::format("driver={},node-name={},read-only={},discard=unmap,file.driver={},file.filename={}",
                           block_driver(disk.format), node, disk.writable ? "off" : "on",
                           is_device ? "host_device" : "file", option_value(disk.target));
    }

    std::string device(const GuestDisk& disk) {
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

    std::string virtio(const GuestDisk& disk, const DeviceName&) {
        if (disk.target.empty())
            fail(disk, "an empty CD drive must be one of hda to hdd");
        if (!taken_.insert({disk.vdev, 0}).second)
            fail(disk, "the device is given twice");
        return fmt::format("virtio-blk-pci,id={},serial={}", disk.vdev, disk.vdev);
    }

    std::string ide(const GuestDisk& disk, const DeviceName& name) {
        if (name.index >= kIdeDisks)
            fail(disk, "there are hda to hdd only");
        if (!disk.writable && !disk.cdrom)
            fail(disk, "a disk on an IDE bus cannot be read-only; name it xvdX or sdX");
        take_slot(disk, name);
        return fmt::format("{},bus=ide.{},unit={},id={}", disk.cdrom ? "ide-cd" : "ide-hd", name.index / 2,
                           name.index % 2, disk.vdev);
    }

    std::string scsi(const GuestDisk& disk, const DeviceName& name) {
        if (name.index >= kScsiDisks)
            fail(disk, "there are sda to sdp only");
        take_slot(disk, name);
        return fmt::format("{},bus=scsi0.0,scsi-id={},id={}", disk.cdrom ? "scsi-cd" : "scsi-hd", name.index,
                           disk.vdev);
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

std::string option_value(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c;
        if (c == ',')
            out += ',';
    }
    return out;
}

void append_disks(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv) {
    const auto is_scsi = [&](const GuestDisk& disk) { return disk_bus(guest, disk) == DiskBus::scsi; };
    if (std::any_of(guest.disks.begin(), guest.disks.end(), is_scsi))
        argv.insert(argv.end(), {"-device", "virtio-scsi-pci,id=scsi0"});
    DiskOptions options(guest, host);
    for (std::size_t i = 0; i < guest.disks.size(); ++i) options.append(i, argv);
}

void append_interfaces(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv) {
    BootOrder boot(guest);
    for (std::size_t i = 0; i < guest.interfaces.size(); ++i) {
        const auto tap = i < host.tap_fds.size() ? host.tap_fds[i] : std::nullopt;
        argv.emplace_back("-netdev");
        // each user-mode network has its own range, so that a guest with two cards can tell them apart
        argv.push_back(tap ? fmt::format("tap,id=net{},fd={}", i, *tap)
                           : fmt::format("user,id=net{},net=10.0.{}.0/24", i, i + 2));
        argv.emplace_back("-device");
        argv.push_back(fmt::format("{},netdev=net{},id=vif{},mac={}{}{}", network_device(guest, i), i, i,
                                   interface_mac(guest, i), boot.has('n') ? "" : ",romfile=", boot.option('n')));
    }
}

}  // namespace vprov::hypervisor
