// A guest as a domain of libvirt: https://libvirt.org/formatdomain.html. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

enum class LibvirtDriver { xen, kvm, qemu };

struct LibvirtView {
    Guest guest;
    std::vector<std::string> lost;  // a phrase for each thing that libvirt has no words for: "'pci' is left out"
};

// The guest as libvirt can say it: without what it has no words for, and with its defaults spelled out. For kvm and
// qemu it is an hvm guest whose disks are virtio's and whose kernel finds its root there. Reading the XML of the view
// gives the view's guest.
LibvirtView libvirt_view(const Guest& guest, LibvirtDriver driver);

// `guest` is of a view of the same driver. Throws Error(recipe) for a control character, which XML cannot hold.
std::string write_libvirt_xml(const Guest& guest, LibvirtDriver driver);

// Throws Error(hypervisor) "FILE:LINE: cannot ...". What is not understood is in the warnings.
ReadGuest read_libvirt_xml(std::string_view text, std::string_view file);

}  // namespace vprov::hypervisor
