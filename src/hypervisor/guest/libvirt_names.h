// The words for enumerations in libvirt's XML. Pure.
#pragma once

#include <string_view>

#include "hypervisor/guest/enum_names.h"
#include "hypervisor/guest/libvirt_xml.h"

namespace vprov::hypervisor {

constexpr Names<LibvirtDriver, 3> kDriverNames = {
    {{"xen", LibvirtDriver::xen}, {"kvm", LibvirtDriver::kvm}, {"qemu", LibvirtDriver::qemu}}};
constexpr Names<char, 4> kBootNames = {{{"hd", 'c'}, {"cdrom", 'd'}, {"network", 'n'}, {"fd", 'a'}}};
constexpr Names<DiskBackend, 5> kDiskDriverNames = {{{"phy", DiskBackend::phy},
                                                     {"tap", DiskBackend::tap},
                                                     {"tap2", DiskBackend::tap},
                                                     {"qemu", DiskBackend::qdisk},
                                                     {"file", DiskBackend::qdisk}}};
constexpr Names<DiskFormat, 9> kDiskTypeNames = {{{"raw", DiskFormat::raw},
                                                  {"qcow", DiskFormat::qcow},
                                                  {"qcow2", DiskFormat::qcow2},
                                                  {"vpc", DiskFormat::vhd},
                                                  {"vhd", DiskFormat::vhd},
                                                  {"qed", DiskFormat::qed},
                                                  {"vmdk", DiskFormat::vmdk},
                                                  {"vdi", DiskFormat::vdi},
                                                  {"vhdx", DiskFormat::vhdx}}};
constexpr Names<Screen, 4> kVideoNames = {
    {{"none", Screen::none}, {"vga", Screen::standard}, {"cirrus", Screen::cirrus}, {"qxl", Screen::qxl}}};

struct OsType {
    GuestType type;
    std::string_view name, machine;  // of <os><type machine="...">...</type>
};
constexpr std::array<OsType, 3> kOsTypes = {
    {{GuestType::pv, "linux", "xenpv"}, {GuestType::pvh, "xenpvh", "xenpvh"}, {GuestType::hvm, "hvm", "xenfv"}}};
constexpr const OsType& os_type(GuestType type) {
    for (const auto& known : kOsTypes)
        if (known.type == type)
            return known;
    return kOsTypes.front();
}

// Of "xvda1", "hda", "sda", "vda".
constexpr std::string_view bus_of(std::string_view device) {
    return device.starts_with("xvd")  ? "xen"
           : device.starts_with("hd") ? "ide"
           : device.starts_with("sd") ? "scsi"
           : device.starts_with("vd") ? "virtio"
                                      : "";
}

}  // namespace vprov::hypervisor
