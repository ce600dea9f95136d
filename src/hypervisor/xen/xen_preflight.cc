#include "hypervisor/xen/xen_preflight.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const Guest& guest, const std::string& cause) {
    throw error(ErrorKind::hypervisor, "cannot create {}: {}", quote(guest.name), cause);
}

void check_access(const Guest& guest, std::string_view what, const std::string& path, int mode) {
    if (::access(path.c_str(), mode) == 0)
        return;
    const int why = errno;
    if (why == ENOENT)
        fail(guest, fmt::format("the {} {} does not exist", what, quote(path)));
    fail(guest, fmt::format("the {} {} cannot be {}: {}", what, quote(path), mode & W_OK ? "written" : "read",
                            std::generic_category().message(why)));
}

void prepare_kernel(Guest& guest, const fs::path& folder) {
    if (guest.kernel.empty() && guest.bootloader.empty() && guest.type != GuestType::hvm)
        fail(guest, "its configuration names no kernel (kernel=\"...\"), which a pv or pvh domain needs");
    for (auto* path : {&guest.kernel, &guest.ramdisk}) {
        if (path->empty())
            continue;
        *path = (folder / *path).lexically_normal().native();
        check_access(guest, path == &guest.kernel ? "kernel" : "ramdisk", *path, R_OK);
    }
}

void prepare_disk(const Guest& guest, GuestDisk& disk, const fs::path& folder) {
    if (disk.target.empty() || !disk.script.empty() || !disk.backend_domain.empty())
        return;
    auto path = (folder / disk.target).lexically_normal();
    if (fs::path(disk.target).is_relative() && !fs::exists(path) && fs::exists("/dev" / fs::path(disk.target)))
        path = "/dev" / fs::path(disk.target);
    disk.target = path.native();
    check_access(guest, fmt::format("disk {}", disk.vdev), disk.target, disk.writable ? R_OK | W_OK : R_OK);
}

// Of dom0; another domain's, or what a script does without one, is not ours to judge.
void check_bridge(const Guest& guest, const GuestInterface& vif, const fs::path& interfaces) {
    if (vif.bridge.empty() || !vif.script.empty() || vif.other.contains("backend"))
        return;
    if (!fs::exists(interfaces / vif.bridge))
        fail(guest, fmt::format("there is no bridge {0} (ip link add {1} type bridge; ip link set {1} up)",
                                quote(vif.bridge), shell_quote(vif.bridge)));
}

bool is_same_file(const fs::path& one, const fs::path& other) {
    std::error_code failure;
    return !one.empty() && (one == other || fs::equivalent(one, other, failure));
}

}  // namespace

Guest prepare_xen_guest(Guest guest, const fs::path& folder, const fs::path& interfaces) {
    if (!is_valid_guest_name(guest.name))
        throw error(ErrorKind::hypervisor, "cannot create a domain named {}: letters, digits and . _ + - only",
                    quote(guest.name));
    const auto base = fs::absolute(folder);
    prepare_kernel(guest, base);
    for (auto& disk : guest.disks) prepare_disk(guest, disk, base);
    for (const auto& vif : guest.interfaces) check_bridge(guest, vif, interfaces);
    return guest;
}

void refuse_shared_disks(std::string_view verb, const Guest& guest, const std::map<unsigned, XlDetails>& running) {
    for (const auto& disk : guest.disks)
        for (const auto& [id, domain] : running)
            for (const auto& other : domain.disks)
                if ((disk.writable || other.writable) && is_same_file(disk.target, other.path))
                    throw error(ErrorKind::hypervisor, "cannot {} {}: its disk {} is in use by the domain {}", verb,
                                quote(guest.name), quote(disk.target), quote(domain.name));
}

}  // namespace vprov::hypervisor
