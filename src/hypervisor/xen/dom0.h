// Whether this system runs on Xen, and as what. Looks at files; changes nothing.
#pragma once

#include <filesystem>

namespace vprov::hypervisor {

enum class XenRole {
    none,        // no Xen below
    guest,       // a domain that may not make others
    controller,  // dom0, or another that may
};

// By /proc/xen/capabilities ("control_d"; xenfs is mounted by Xen's init script only), else by /sys/hypervisor: `type`
// is "xen" and `properties/features` has bit 11, XENFEAT_dom0 of xen/include/public/features.h.
XenRole find_xen_role(const std::filesystem::path& root = "/");

// A Xen lies in /boot, whether or not it was booted.
bool has_xen_in_boot(const std::filesystem::path& root = "/");

}  // namespace vprov::hypervisor
