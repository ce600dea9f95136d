// The files of a guest, opened for its QEMU, which has no right of its own to them. Touches the file system.
#pragma once

#include <string>
#include <vector>

#include "hypervisor/guest/guest.h"
#include "hypervisor/guest/qemu_argv.h"
#include "os/fd.h"

namespace vprov::hypervisor {

// One image of a disk.
struct OpenImage {
    os::Fd file;
    std::string path;
    DiskFormat format = DiskFormat::raw;
    bool is_device = false;  // a block device and not a file
};

// The image at `path`, which is absolute, and then all that it is based on, these for reading only. Throws
// Error(hypervisor), only the cause.
std::vector<OpenImage> open_images(std::string path, DiskFormat format, bool writable);

class OpenFiles {
  public:
    // The disk's image and all that it is based on, these for reading only; `disk.target` is absolute. QEMU opens them
    // by the names in the result. Throws Error(hypervisor) "cannot start 'NAME': the disk xvda ...".
    std::vector<DiskLayer> open_disk(const Guest& guest, const GuestDisk& disk);

    // Any other file, as QEMU opens it by -blockdev and the like: "/dev/fdset/3".
    std::string open(const std::string& path, int flags);

    // A kernel or ramdisk, which QEMU opens by itself: "/proc/self/fd/7". One that only its owner may read is copied to
    // memory, for opening it again asks for the right anew.
    std::string open_for_loader(const std::string& path);
    std::string pass_to_loader(os::Fd fd);  // a file or directory that everybody may open

    const std::vector<OpenFile>& files() const { return files_; }
    std::vector<os::Fd> take() { return std::move(held_); }  // to be open until QEMU runs

  private:
    std::string add(os::Fd fd, const std::string& path);

    std::vector<OpenFile> files_;
    std::vector<os::Fd> held_;
};

}  // namespace vprov::hypervisor
