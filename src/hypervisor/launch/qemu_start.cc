#include "hypervisor/launch/qemu_start.h"

#include <sys/mman.h>

#include <cerrno>

#include "base/error.h"
#include "hypervisor/guest/device_names.h"
#include "hypervisor/guest/qemu_devices.h"
#include "hypervisor/launch/preflight.h"
#include "hypervisor/launch/tap.h"
#include "hypervisor/launch/uefi_firmware.h"

namespace vprov::hypervisor {
namespace {

// In memory, for QEMU to read; not open when VNC asks for none.
os::Fd vnc_password(const Guest& guest) {
    if (!guest.vnc || guest.vncpasswd.value_or("").empty())
        return {};
    os::Fd fd(::memfd_create("vnc-password", MFD_CLOEXEC));
    if (!fd.is_open())
        throw system_error(ErrorKind::hypervisor, errno, "cannot hold the VNC password");
    os::write_all(fd.get(), *guest.vncpasswd, "the VNC password");
    return fd;
}

// The guest's initrd with names of disks behind it, in memory; not open when it is used as it is.
os::Fd extended_initrd(const Guest& guest) {
    if (!wants_device_names(guest))
        return {};
    const auto initrd = os::read_file(guest.ramdisk, ErrorKind::hypervisor);
    os::Fd fd(::memfd_create("initrd", MFD_CLOEXEC));
    if (!fd.is_open())
        throw system_error(ErrorKind::hypervisor, errno, "cannot hold the initrd");
    os::write_all(fd.get(), initrd, "the initrd");
    os::write_all(fd.get(), device_names_segment(initrd.size()), "the initrd");
    return fd;
}

void set_firmware(const Guest& guest, const std::filesystem::path& directory, QemuHost& host) {
    const auto uefi = guest.firmware == Firmware::uefi ? find_uefi_firmware() : std::nullopt;
    if (!uefi)
        return;
    host.uefi_code = uefi->code;
    host.uefi_variables = own_variables(*uefi, directory);
}

}  // namespace

std::vector<int> QemuStart::inherited() const {
    std::vector<int> numbers = {channels.qmp_listening.get(), channels.monitor_listening.get(),
                                channels.console_listening.get()};
    for (const auto& fd : held) numbers.push_back(fd.get());
    if (ram_fd >= 0)
        numbers.push_back(ram_fd);
    return numbers;
}

QemuStart prepare_qemu(const LaunchRequest& request, Engine engine, unsigned id, const std::filesystem::path& directory,
                       int ram_fd) {
    const Guest& guest = request.guest;
    QemuStart start;
    start.channels = make_qemu_channels(directory);
    QemuHost host;
    host.engine = engine;
    host.incoming = request.incoming;
    host.ram_fd = start.ram_fd = ram_fd;
    host.qmp_fd = start.channels.qmp_listening.get();
    host.monitor_fd = start.channels.monitor_listening.get();
    host.console_fd = start.channels.console_listening.get();
    host.disk_is_device = disks_on_devices(guest);
    set_firmware(guest, directory, host);
    if (auto password = vnc_password(guest); password.is_open()) {
        host.vnc_password_fd = password.get();
        start.held.push_back(std::move(password));
    }
    if (auto initrd = extended_initrd(guest); initrd.is_open()) {
        host.initrd_fd = initrd.get();
        start.held.push_back(std::move(initrd));
    }
    for (std::size_t i = 0; i < guest.interfaces.size(); ++i) {
        auto side = connect_interface(guest.interfaces[i], fmt::format("vif{}.{}", id, interface_devid(guest, i)));
        if (!side.warning.empty())
            start.warnings.push_back(side.warning);
        host.tap_fds.push_back(side.tap.is_open() ? std::optional(side.tap.get()) : std::nullopt);
        if (side.tap.is_open())
            start.held.push_back(std::move(side.tap));
    }
    start.argv = qemu_argv(guest, host);
    return start;
}

}  // namespace vprov::hypervisor
