#include "hypervisor/launch/preflight.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_keys.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/launch/kernel_machine.h"
#include "hypervisor/launch/uefi_firmware.h"
#include "os/fd.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

class Preflight {
  public:
    Preflight(Guest guest, const fs::path& folder) : folder_(fs::absolute(folder)) { result_.guest = std::move(guest); }

    PreparedGuest run() {
        Guest& guest = result_.guest;
        check_memory();
        check_firmware();
        check_kernel();
        for (auto& disk : guest.disks)
            if (!disk.target.empty())
                check_disk(disk);
        for (auto& interface : guest.interfaces) {
            if (interface.type == VifType::ioemu && interface.model.empty())
                interface.model = "rtl8139";  // xl's, which every system has a driver for
            if (const auto tftp = interface.other.find("tftp"); tftp != interface.other.end())
                check_boot_server(tftp->second);
        }
        qemu_argv(guest, {});  // for its complaints about devices
        warn_of_differences();
        return std::move(result_);
    }

  private:
    [[noreturn]] void fail(const std::string& cause) const {
        throw error(ErrorKind::hypervisor, "cannot start {}: {}", quote(result_.guest.name), cause);
    }
    void warn(std::string text) { result_.warnings.push_back(std::move(text)); }

    void check_access(std::string_view what, const std::string& path, int mode) const {
        if (::access(path.c_str(), mode) == 0)
            return;
        const int why = errno;
        if (why == ENOENT)
            fail(fmt::format("the {} {} does not exist", what, quote(path)));
        fail(fmt::format("the {} {} cannot be {}: {}", what, quote(path), mode & W_OK ? "written" : "read",
                         std::generic_category().message(why)));
    }

    // Linux gives more than it has, and then ends somebody.
    void check_memory() const {
        const auto free = free_memory(os::read_file("/proc/meminfo"));
        if (const auto wanted = result_.guest.memory_mib << 20; free && wanted > *free)
            fail(fmt::format("it is to have {} MiB of memory, and {} MiB are free", wanted >> 20, *free >> 20));
    }

    void check_firmware() const {
        const Guest& guest = result_.guest;
        if (guest.firmware == Firmware::uefi && guest.kernel.empty() && !find_uefi_firmware())
            fail("its firmware is UEFI, and there is no OVMF_CODE_4M.fd in /usr/share/OVMF (install ovmf)");
        // grub-xen-host installs nothing else there
        if (fs::path(guest.kernel).parent_path().filename() == "grub-xen")
            fail(fmt::format("its kernel {} is GRUB for Xen, which runs on Xen only", quote(guest.kernel)));
    }

    void check_kernel() {
        Guest& guest = result_.guest;
        if (guest.kernel.empty() && guest.type != GuestType::hvm)
            fail(guest.bootloader.empty()
                     ? "its configuration names no kernel (kernel=\"...\"), which a pv or pvh domain needs"
                     : fmt::format("its bootloader {} is Xen's; give kernel=\"...\" and ramdisk=\"...\" to run it in "
                                   "QEMU",
                                   quote(guest.bootloader)));
        for (const auto& [what, path] :
             {std::pair<std::string_view, std::string*>{"kernel", &guest.kernel}, {"ramdisk", &guest.ramdisk}}) {
            if (path->empty())
                continue;
            *path = (folder_ / *path).lexically_normal().native();
            check_access(what, *path, R_OK);
            if (!fs::is_regular_file(*path))
                fail(fmt::format("the {} {} is not a file", what, quote(*path)));
        }
        if (!guest.kernel.empty())
            check_machine(guest.kernel);
    }

    void check_machine(const std::string& kernel) const {
        std::array<char, 4096> head{};
        const auto fd = os::open_file(kernel, O_RDONLY, 0, ErrorKind::hypervisor);
        const auto size = std::max<ssize_t>(::read(fd.get(), head.data(), head.size()), 0);
        if (const auto machine = foreign_machine({head.data(), static_cast<std::size_t>(size)}); !machine.empty())
            fail(fmt::format("its kernel {} is for {}, and guests run on qemu-system-x86_64", quote(kernel), machine));
    }

    void check_disk(GuestDisk& disk) {
        if (!disk.script.empty())
            warn(fmt::format("the script {} of the disk {} is not run", quote(disk.script), disk.vdev));
        auto path = (folder_ / disk.target).lexically_normal();
        if (fs::path(disk.target).is_relative() && !fs::exists(path) && fs::exists("/dev" / fs::path(disk.target)))
            path = "/dev" / fs::path(disk.target);
        disk.target = path.native();
        check_access(fmt::format("disk {}", disk.vdev), disk.target, disk.writable ? R_OK | W_OK : R_OK);
        if (!fs::is_regular_file(path) && !fs::is_block_file(path))
            fail(fmt::format("the disk {} {} is neither a file nor a block device", disk.vdev, quote(disk.target)));
    }

    void check_boot_server(std::string& directory) const {
        directory = (folder_ / directory).lexically_normal().native();
        check_access("directory for TFTP", directory, R_OK | X_OK);
        if (!fs::is_directory(directory))
            fail(fmt::format("the directory for TFTP {} is not a directory", quote(directory)));
    }

    void warn_of_differences() {
        const Guest& guest = result_.guest;
        if (guest.type == GuestType::pv)
            warn(fmt::format("{} is a pv domain: QEMU boots its kernel directly, on a virtual PC", quote(guest.name)));
        for (const auto& [key, action] :
             {std::pair<std::string_view, LifecycleAction>{"on_poweroff", guest.on_poweroff},
              {"on_reboot", guest.on_reboot},
              {"on_crash", guest.on_crash}}) {
            if (action == LifecycleAction::rename_restart)
                warn(fmt::format("{}: nothing is renamed, the domain is restarted", key));
            if (action == LifecycleAction::coredump_destroy || action == LifecycleAction::coredump_restart)
                warn(fmt::format("{}: no core is written, the domain is {}", key,
                                 action == LifecycleAction::coredump_destroy ? "destroyed" : "restarted"));
        }
        for (const auto& [key, option] : guest.other)
            if (!is_ignored_by_qemu(key))
                warn(fmt::format("{} of its configuration has no effect in QEMU", quote(key)));
        const auto& listen = guest.vnclisten;
        if (guest.vnc && !listen.empty() && !listen.starts_with("127.") && listen != "::1" && listen != "localhost")
            warn(fmt::format("VNC listens on 127.0.0.1 and not on {}", quote(listen)));
    }

    fs::path folder_;
    PreparedGuest result_;
};

}  // namespace

std::optional<std::uint64_t> free_memory(std::string_view meminfo) {
    std::uint64_t sum = 0;
    bool is_known = false;
    for (const auto line : split(meminfo, '\n')) {
        const auto words = split_words(line);
        if (words.size() < 2 || (words[0] != "MemAvailable:" && words[0] != "SwapFree:"))
            continue;
        std::uint64_t kib = 0;
        std::from_chars(words[1].data(), words[1].data() + words[1].size(), kib);
        sum += kib << 10;
        is_known = is_known || words[0] == "MemAvailable:";
    }
    return is_known ? std::optional(sum) : std::nullopt;
}

PreparedGuest prepare_guest(Guest guest, const fs::path& folder) {
    return Preflight(std::move(guest), folder).run();
}

}  // namespace vprov::hypervisor
