#include "partition/device/device.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "partition/device/device_content.h"
#include "partition/image/parted_session.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

std::string list_of(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += "\n  " + line;
    return text;
}

void zero(const os::Fd& fd, std::uint64_t offset, std::uint64_t size, const fs::path& device) {
    const std::string zeros(size, '\0');
    if (::pwrite(fd.get(), zeros.data(), size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size))
        throw system_error(ErrorKind::disk, errno, "cannot erase " + quote(device.native()));
}

void wipe(const os::Fd& fd, std::uint64_t offset, std::uint64_t size) {
    const std::unique_ptr<blkid_struct_probe, void (*)(blkid_probe)> probe(::blkid_new_probe(), ::blkid_free_probe);
    if (!probe || ::blkid_probe_set_device(probe.get(), fd.get(), static_cast<blkid_loff_t>(offset),
                                           static_cast<blkid_loff_t>(size)) != 0)
        return;
    ::blkid_probe_enable_superblocks(probe.get(), 1);
    ::blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_BADCSUM);
    ::blkid_probe_enable_partitions(probe.get(), 1);
    ::blkid_probe_set_partitions_flags(probe.get(), BLKID_PARTS_MAGIC | BLKID_PARTS_FORCE_GPT);
    // after each that was wiped the probe looks again at the same place: there may be another one below it
    while (::blkid_do_probe(probe.get()) == 0)
        if (::blkid_do_wipe(probe.get(), 0) != 0)
            return;
}

void wipe_partitions(const os::Fd& fd, const fs::path& path) {
    PartedSession session("erase " + quote(path.native()));
    auto* device = session.open(path, 0);
    if (!parted().disk_probe(device))
        return;
    const std::unique_ptr<PedDisk, void (*)(PedDisk*)> disk(parted().disk_new(device), parted().disk_destroy);
    for (auto* part = disk ? parted().disk_next_partition(disk.get(), nullptr) : nullptr; part;
         part = parted().disk_next_partition(disk.get(), part))
        if (part->num > 0 && (part->type & PED_PARTITION_EXTENDED) == 0)
            wipe(fd, static_cast<std::uint64_t>(part->geom.start * device->sector_size),
                 static_cast<std::uint64_t>(part->geom.length * device->sector_size));
}

// Now, rather than when all packages are configured. Without opening it to write: udev looks at what was closed after
// that, and assembles the array whose member it finds.
void check_writable(const fs::path& device) {
    if (::faccessat(AT_FDCWD, device.c_str(), R_OK | W_OK, AT_EACCESS) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot write to " + quote(device.native()));
    const auto fd = os::open_file(device, O_RDONLY);
    if (int read_only = 0; ::ioctl(fd.get(), BLKROGET, &read_only) == 0 && read_only != 0)
        throw error(ErrorKind::disk, "cannot write to {}: it is read-only", quote(device.native()));
}

}  // namespace

void check_device(const fs::path& device, Found found) {
    if (const auto uses = uses_of(device); !uses.empty())
        throw error(ErrorKind::disk, "cannot write to {}: it is in use:{}", quote(device.native()), list_of(uses));
    check_writable(device);
    if (found == Found::given_up)
        return;
    if (const auto contents = contents_of(device); !contents.empty())
        throw error(ErrorKind::disk, "cannot write to {}: something is on it:{}\n'--erase {}' gives that up",
                    quote(device.native()), list_of(contents), device.native());
}

void erase_device(const fs::path& device) {
    const auto fd = os::open_file(device, O_RDWR);
    wipe_partitions(fd, device);
    wipe(fd, 0, 0);
    std::uint64_t size = 0;
    if (::ioctl(fd.get(), BLKGETSIZE64, &size) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot find the size of " + quote(device.native()));
    const auto end = std::min(size, (1_MiB).value);
    zero(fd, 0, end, device);
    zero(fd, size - end, end, device);
    if (::fsync(fd.get()) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot erase " + quote(device.native()));
}

void reread_table(const fs::path& device) noexcept {
    const int fd = ::open(device.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)::ioctl(fd, BLKRRPART);
    ::close(fd);
}

}  // namespace vprov::partition
