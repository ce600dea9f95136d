#include "hypervisor/devices/disks.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/devices/change.h"
#include "hypervisor/devices/medium.h"
#include "hypervisor/guest/qemu_devices.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

[[noreturn]] void fail(std::string_view verb, std::string_view what, const std::string& name, std::string_view cause) {
    throw error(ErrorKind::hypervisor, "cannot {} {} {} {}: {}", verb, quote(what), verb == "detach" ? "from" : "to",
                quote(name), cause);
}

// By name, or by number.
std::vector<GuestDisk>::iterator find_disk(Guest& guest, const std::string& vdev) {
    return std::find_if(guest.disks.begin(), guest.disks.end(), [&](const GuestDisk& disk) {
        return disk.vdev == vdev || std::to_string(vdev_number(disk.vdev)) == vdev;
    });
}

std::string disks_of(const Guest& guest) {
    std::vector<std::string> names;
    for (const auto& disk : guest.disks) names.push_back(disk.vdev);
    return names.empty() ? "none" : joined(names, ", ");
}

// "" when nobody stands in the way.
std::string who_uses(const Domains& domains, const std::string& own_name, const GuestDisk& wanted) {
    std::error_code none;
    for (const auto& domain : domains.list()) {
        const auto request = domains.state().read_request(domain.name);
        for (const auto& disk : request ? request->guest.disks : std::vector<GuestDisk>()) {
            if (disk.target.empty() || !fs::equivalent(disk.target, wanted.target, none))
                continue;
            if (disk.writable || wanted.writable)
                return domain.name == own_name ? fmt::format("it is its {} already", disk.vdev)
                                               : fmt::format("it is in use by the domain {}", quote(domain.name));
        }
    }
    return "";
}

void check_attachable(const Change& change, const GuestDisk& disk) {
    const auto& disks = change.guest.disks;
    if (std::any_of(disks.begin(), disks.end(), [&](const auto& other) { return other.vdev == disk.vdev; }))
        fail("attach", disk.vdev, change.name(), "it has a disk of that name");
    switch (disk_bus(change.guest, disk)) {
        case DiskBus::virtio:
            break;
        case DiskBus::ide:
            fail("attach", disk.vdev, change.name(),
                 disk.cdrom
                     ? "an IDE drive cannot be plugged in while it runs; a drive that it has takes another medium "
                       "(cd-insert)"
                     : "an IDE disk cannot be plugged in while it runs; name it xvdX");
        case DiskBus::scsi:
            if (std::none_of(disks.begin(), disks.end(),
                             [&](const auto& other) { return disk_bus(change.guest, other) == DiskBus::scsi; }))
                fail("attach", disk.vdev, change.name(), "it was started without a SCSI bus; name it xvdX");
    }
    if (disk.target.empty())
        fail("attach", disk.vdev, change.name(), "no file is given (target=)");
}

// device_add, with the disk's content there already.
void plug_in(Change& change, GuestDisk disk, const std::string& node) {
    if (disk_bus(change.guest, disk) == DiskBus::virtio)
        disk.pci_slot = change.free_slot();
    change.guest.disks.push_back(std::move(disk));
    QemuHost host;
    auto device = qemu_disks(change.guest, host).back().device;
    std::erase_if(device, [](const auto& property) { return property.first == "bootindex"; });
    for (auto& [key, value] : device)
        if (key == "drive")
            value = node;
    change.make("device_add", device);
}

}  // namespace

unsigned vdev_number(std::string_view vdev) {
    const auto name = parse_device_name(vdev);
    if (name.index < 0)
        throw error(ErrorKind::hypervisor, "cannot find the disk {}: a disk is named like xvda, hda or sda",
                    quote(vdev));
    const auto disk = static_cast<unsigned>(name.index);
    const auto partition = name.partition.empty() ? 0U : static_cast<unsigned>(std::stoul(name.partition));
    constexpr unsigned kXvd = 202, kSd = 8, kIde[] = {3, 22};
    if (name.prefix == "hd" && disk < 4)
        return kIde[disk / 2] << 8 | (disk % 2) << 6 | partition;
    if (name.prefix != "hd" && disk < 16 && partition < 16)
        return (name.prefix == "sd" ? kSd : kXvd) << 8 | disk << 4 | partition;
    constexpr unsigned kExtended = 1U << 28;
    return kExtended | disk << 8 | partition;
}

void attach_disk(const Domains& domains, const std::string& name, GuestDisk disk) {
    if (!disk.target.empty())
        disk.target = fs::absolute(disk.target).lexically_normal().native();
    Change change(domains, name, "block-attach");
    check_attachable(change, disk);
    const auto vdev = disk.vdev;
    const auto file = disk.target;
    try {
        if (const auto user = who_uses(domains, change.name(), disk); !user.empty())
            throw error(ErrorKind::hypervisor, "{}", user);
        change.pin_devices();
        const auto medium = put_in(change, disk);
        try {
            plug_in(change, std::move(disk), medium);
        } catch (const Error&) {
            take_out(change, medium);
            throw;
        }
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        fail("attach", file, change.name(),
             e.message().find("\" lock") == std::string::npos ? e.message() : "it is in use by another process");
    }
    change.record();
}

void detach_disk(const Domains& domains, const std::string& name, const std::string& vdev) {
    Change change(domains, name, "block-detach");
    const auto disk = find_disk(change.guest, vdev);
    if (disk == change.guest.disks.end())
        fail("detach", vdev, change.name(), fmt::format("its disks are {}", disks_of(change.guest)));
    if (disk_bus(change.guest, *disk) == DiskBus::ide)
        fail("detach", disk->vdev, change.name(),
             disk->cdrom ? "an IDE drive cannot be unplugged while it runs; its medium can be taken out (cd-eject)"
                         : "an IDE disk cannot be unplugged while it runs");
    change.pin_devices();
    const auto medium = medium_of(change, disk->vdev);
    try {
        change.unplug(disk->vdev);
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        fail("detach", disk->vdev, change.name(), e.message());
    }
    if (medium)
        take_out(change, *medium);
    change.guest.disks.erase(disk);
    change.record();
}

void change_cd(const Domains& domains, const std::string& name, const std::string& vdev, const std::string& file) {
    Change change(domains, name, file.empty() ? "cd-eject" : "cd-insert");
    const auto disk = find_disk(change.guest, vdev);
    const auto refuse = [&](std::string_view cause) {
        return error(ErrorKind::hypervisor, "cannot {} {} of {}: {}",
                     file.empty() ? "eject the medium in" : fmt::format("insert {} into", quote(file)), quote(vdev),
                     quote(change.name()), cause);
    };
    if (disk == change.guest.disks.end())
        throw refuse(fmt::format("its disks are {}", disks_of(change.guest)));
    if (!disk->cdrom)
        throw refuse("it is no CD drive");
    GuestDisk with = *disk;
    with.format = file.empty() ? DiskFormat::empty : DiskFormat::raw;
    with.target = file.empty() ? "" : fs::absolute(file).lexically_normal().native();
    with.writable = false;
    const auto before = medium_of(change, disk->vdev);
    try {
        if (const auto user = file.empty() ? "" : who_uses(domains, change.name(), with); !user.empty())
            throw error(ErrorKind::hypervisor, "{}", user);
        std::optional<std::string> medium;
        if (!file.empty())
            medium = put_in(change, with);
        open_tray(change, disk->vdev);
        auto& monitor = change.monitor();
        if (before)
            monitor.execute("blockdev-remove-medium", {{"id", disk->vdev}});
        if (medium)
            monitor.execute("blockdev-insert-medium", {{"id", disk->vdev}, {"node-name", *medium}});
        monitor.execute("blockdev-close-tray", {{"id", disk->vdev}});
        if (before)
            take_out(change, *before);
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        throw refuse(e.message());
    }
    *disk = with;
    change.record();
}

}  // namespace vprov::hypervisor
