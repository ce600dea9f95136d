#include "hypervisor/launch/qemu_start.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/device_names.h"
#include "hypervisor/launch/interface_limits.h"
#include "hypervisor/launch/open_files.h"
#include "hypervisor/launch/port_forwards.h"
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

// The directories for TFTP: QEMU opens files in them by itself, as the user that it is, whatever lies above them.
void open_boot_servers(Guest& guest, QemuStart& start) {
    OpenFiles files;
    for (auto& vif : guest.interfaces) {
        const auto tftp = vif.other.find("tftp");
        if (tftp == vif.other.end())
            continue;
        auto directory = os::open_file(tftp->second, O_RDONLY | O_DIRECTORY, 0, ErrorKind::hypervisor);
        struct stat status {};
        if (start.confinement && start.confinement->user && ::fstat(directory.get(), &status) == 0 &&
            !(status.st_mode & S_IXOTH))
            start.warnings.push_back(
                fmt::format("nothing is served from the directory for TFTP {}: QEMU runs as another user (chmod o+rx)",
                            quote(tftp->second)));
        tftp->second = files.pass_to_loader(std::move(directory));
    }
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
            auto port =
                guest_.interfaces[i].segment.empty() ? connect_limited(id_, guest_, i, state_.limits()) : on_segment(i);
            for (auto& warning : port.warnings) start_.warnings.push_back(std::move(warning));
            host.tap_fds.push_back(port.tap.is_open() ? std::optional(port.tap.get()) : std::nullopt);
            if (port.tap.is_open())
                start_.held.push_back(std::move(port.tap));
        }
    }

  private:
    BridgePort on_segment(std::size_t i) {
        const auto& vif = guest_.interfaces[i];
        if (!start_.segments)
            start_.segments.emplace(state_);
        auto port = start_.segments->join(vif.segment, tap_name(id_, guest_, i));
        start_.networks[vif.segment] = port.network.get();
        start_.held.push_back(std::move(port.network));
        return {std::move(port.tap), limits_without_effect(vif)};
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
    if (channels.agent_listening.is_open())
        numbers.push_back(channels.agent_listening.get());
    for (const auto& fd : held) numbers.push_back(fd.get());
    if (ram_fd >= 0)
        numbers.push_back(ram_fd);
    return numbers;
}

QemuStart prepare_qemu(const LaunchRequest& request, Engine engine, unsigned id, const StateDir& state,
                       const MemoryFile& memory) {
    Guest guest = request.guest;
    const auto directory = state.domain(guest.name);
    QemuStart start;
    start.channels = make_qemu_channels(directory, guest.agent);
    QemuHost host;
    host.engine = engine;
    host.incoming = request.incoming;
    host.ram_fd = start.ram_fd = memory.fd;
    host.ram_is_shared = memory.is_shared;
    host.qmp_fd = start.channels.qmp_listening.get();
    host.monitor_fd = start.channels.monitor_listening.get();
    host.console_fd = start.channels.console_listening.get();
    host.agent_fd = start.channels.agent_listening.get();
    host.sandbox = request.sandbox;
    if (request.sandbox) {
        start.confinement = choose_confinement(engine);
        if (!start.confinement->warning.empty())
            start.warnings.push_back(start.confinement->warning);
    }
    open_files(guest, directory, start, host);
    open_boot_servers(guest, start);
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
