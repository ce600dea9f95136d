// Disks and interfaces of a guest as QEMU options. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/qemu_argv.h"

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

std::string option_value(std::string_view text);  // commas doubled, as QEMU's option syntax wants them

void append_disks(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv);
void append_interfaces(const Guest& guest, const QemuHost& host, std::vector<std::string>& argv);

}  // namespace vprov::hypervisor
