// Disks and interfaces of a guest as QEMU makes them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/guest/qemu_object.h"

namespace vprov::hypervisor {

// What a disk is plugged into.
enum class DiskBus { virtio, ide, scsi };
DiskBus disk_bus(const Guest& guest, const GuestDisk& disk);

// "xvda1" -> {"xvd", 0, "1"}; letters count a=0 ... z=25, aa=26. index -1: not a name of that kind.
struct DeviceName {
    std::string prefix;  // "xvd", "hd", "sd"
    int index = -1;
    std::string partition;  // "1", "" for the whole disk
};
DeviceName parse_device_name(std::string_view name);

std::string linux_disk_name(std::string_view prefix, std::size_t index);  // ("vd", 27) -> "vdab"

// What the guest has at most while it runs. Of its memory the balloon takes the rest; of its processors the first is
// always there, and each of the others is a device of its own, which can be unplugged.
std::uint64_t most_memory_mib(const Guest& guest);
unsigned most_vcpus(const Guest& guest);
QemuObject qemu_vcpu(Engine engine, unsigned index);  // index 1 and up

// What a disk is in QEMU: its content, node "diskI" for the disk number I, and the device that the guest sees, whose id
// is the vdev. A disk of the SCSI bus is plugged into kScsiBus. Throws Error(hypervisor) as qemu_argv() does.
struct QemuDisk {
    std::optional<QemuObject> content;  // none in an empty CD drive
    QemuObject device;
};
std::vector<QemuDisk> qemu_disks(const Guest& guest, const QemuHost& host);
// layers: the disk's own image first, then what each is based on; at least one.
QemuObject qemu_content(const GuestDisk& disk, std::string_view node, const std::vector<DiskLayer>& layers);
inline constexpr std::string_view kScsiBus = "scsi0";

// The interface's number: its devid= or else its place. Its devices in QEMU are netN and vifN.
unsigned interface_devid(const Guest& guest, std::size_t index);
struct QemuInterface {
    QemuObject backend, device;
};
std::vector<QemuInterface> qemu_interfaces(const Guest& guest, const QemuHost& host);

void append_disks(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv);
void append_interfaces(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv);

}  // namespace vprov::hypervisor
