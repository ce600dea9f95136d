#include "hypervisor/xen/dom0.h"

#include <charconv>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

std::string read_if_there(const fs::path& path) {
    try {
        return std::string(trimmed(os::read_file(path)));
    } catch (const Error&) {
        return "";
    }
}

bool has_dom0_feature(std::string_view features) {
    constexpr unsigned kDom0 = 11;
    std::uint64_t bits = 0;
    std::from_chars(features.data(), features.data() + features.size(), bits, 16);
    return (bits >> kDom0 & 1) != 0;
}

}  // namespace

XenRole find_xen_role(const fs::path& root) {
    if (read_if_there(root / "proc/xen/capabilities").find("control_d") != std::string::npos)
        return XenRole::controller;
    if (read_if_there(root / "sys/hypervisor/type") != "xen")
        return XenRole::none;
    return has_dom0_feature(read_if_there(root / "sys/hypervisor/properties/features")) ? XenRole::controller
                                                                                        : XenRole::guest;
}

bool has_xen_in_boot(const fs::path& root) {
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(root / "boot", failure)) {
        const auto name = entry.path().filename().native();
        if (name.starts_with("xen-") && name.ends_with(".gz"))
            return true;
    }
    return false;
}

}  // namespace vprov::hypervisor
