#include "hypervisor/launch/qemu_start.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "hypervisor/guest/device_names.h"
#include "hypervisor/guest/qemu_devices.h"
#include "hypervisor/launch/interface_limits.h"
#include "hypervisor/launch/open_files.h"
#include "hypervisor/launch/port_forwards.h"
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

void open_firmware(const Guest& guest, const std::filesystem::path& directory, OpenFiles& files, QemuHost& host) {
    const auto uefi = guest.firmware == Firmware::uefi ? find_uefi_firmware() : std::nullopt;
    if (!uefi)
        return;
    host.uefi_code = files.open(uefi->code, O_RDONLY);
    host.uefi_variables = files.open(own_variables(*uefi, directory), O_RDWR);
}

void open_files(const Guest& guest, const std::filesystem::path& directory, QemuStart& start, QemuHost& host) {
    OpenFiles files;
    for (const auto& disk : guest.disks)
        host.layers.push_back(disk.target.empty() ? std::vector<DiskLayer>{} : files.open_disk(guest, disk));
    open_firmware(guest, directory, files, host);
    if (!guest.kernel.empty())
        host.kernel = files.open_for_loader(guest.kernel);
    if (auto initrd = extended_initrd(guest); initrd.is_open()) {
        host.ramdisk = files.pass_to_loader(std::move(initrd));
        host.root = RootName::as_given;
    } else if (!guest.ramdisk.empty()) {
        host.ramdisk = files.open_for_loader(guest.ramdisk);
    }
    host.files = start.files = files.files();
    for (auto& fd : files.take()) start.held.push_back(std::move(fd));
}

// The guest's interfaces on the host's side.
class Connections {
  public:
    Connections(const Guest& guest, unsigned id, const StateDir& state, QemuStart& start)
        : guest_(guest), id_(id), state_(state), start_(start) {}

    void make(QemuHost& host) {
        remove_stale_limits(state_.limits());
        for (std::size_t i = 0; i < guest_.interfaces.size(); ++i) {
            auto tap = guest_.interfaces[i].segment.empty() ? on_bridge(i) : on_segment(i);
            host.tap_fds.push_back(tap.is_open() ? std::optional(tap.get()) : std::nullopt);
            if (tap.is_open())
                start_.held.push_back(std::move(tap));
        }
    }

  private:
    std::string tap_name(std::size_t i) const { return fmt::format("vif{}.{}", id_, interface_devid(guest_, i)); }
    void warn(std::string text) { start_.warnings.push_back(std::move(text)); }

    os::Fd on_bridge(std::size_t i) {
        const auto& vif = guest_.interfaces[i];
        auto side = connect_interface(vif, tap_name(i));
        if (!side.warning.empty())
            warn(side.warning);
        if (!side.tap.is_open()) {
            warn_of_limits(vif);
            return {};
        }
        for (auto& warning : limit_interface(vif, interface_mac(guest_, i), tap_name(i), state_.limits()))
            warn(std::move(warning));
        return std::move(side.tap);
    }

    os::Fd on_segment(std::size_t i) {
        const auto& vif = guest_.interfaces[i];
        if (!start_.segments)
            start_.segments.emplace(state_);
        auto port = start_.segments->join(vif.segment, tap_name(i));
        warn_of_limits(vif);
        start_.networks[vif.segment] = port.network.get();
        start_.held.push_back(std::move(port.network));
        return std::move(port.tap);
    }

    void warn_of_limits(const GuestInterface& vif) {
        if (!vif.ip.empty() || !vif.rate.empty())
            warn("ip and rate of an interface have an effect on a bridge only");
    }

    const Guest& guest_;
    unsigned id_;
    const StateDir& state_;
    QemuStart& start_;
};

}  // namespace

std::vector<int> QemuStart::inherited() const {
    std::vector<int> numbers = {channels.qmp_listening.get(), channels.monitor_listening.get(),
                                channels.console_listening.get()};
    for (const auto& fd : held) numbers.push_back(fd.get());
    return numbers;
}

QemuStart prepare_qemu(const LaunchRequest& request, Engine engine, unsigned id, const StateDir& state) {
    const Guest& guest = request.guest;
    const auto directory = state.domain(guest.name);
    QemuStart start;
    start.channels = make_qemu_channels(directory);
    QemuHost host;
    host.engine = engine;
    host.incoming = request.incoming;
    host.qmp_fd = start.channels.qmp_listening.get();
    host.monitor_fd = start.channels.monitor_listening.get();
    host.console_fd = start.channels.console_listening.get();
    host.sandbox = request.sandbox;
    if (request.sandbox) {
        start.confinement = choose_confinement(engine);
        if (!start.confinement->warning.empty())
            start.warnings.push_back(start.confinement->warning);
    }
    open_files(guest, directory, start, host);
    if (auto password = vnc_password(guest); password.is_open()) {
        host.vnc_password_fd = password.get();
        start.held.push_back(std::move(password));
    }
    check_port_forwards(guest, ::geteuid() == 0 && !(start.confinement && start.confinement->user));
    Connections(guest, id, state, start).make(host);
    start.argv = qemu_argv(guest, host);
    return start;
}

}  // namespace vprov::hypervisor
