// A guest as the text of a configuration, checked by reading it back. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

enum class Format { xl, xm, libvirt_xen, libvirt_kvm, libvirt_qemu };

struct Configuration {
    std::string text;
    std::vector<std::string> lost;  // what of the guest this format has no words for, a phrase each
};

// Throws what the writers throw, and Error(internal) for a text that does not read back as the guest. Nothing of the
// text says what vncpasswd is unless the guest has one.
Configuration configuration_of(const Guest& guest, Format format);

// "debian1.cfg", "debian1.xml"
std::string configuration_name(const Guest& guest, Format format);

}  // namespace vprov::hypervisor
