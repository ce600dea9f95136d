// A loop device on a part of a file, for the file systems that only the kernel fills.
#pragma once

#include <filesystem>

#include "os/fd.h"
#include "partition/image/place.h"

namespace vprov::partition {

// It is gone when the object is and nothing uses it any more, also when this process is killed (LO_FLAGS_AUTOCLEAR).
class LoopDevice {
  public:
    enum class Access { write, read };
    // Needs root of the host. Throws Error(disk).
    LoopDevice(const Place& place, Bytes size, Access access = Access::write);
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
    os::Fd fd_;
};

// Why no loop device can be had here; "" when one can.
std::string what_forbids_loop_devices();

}  // namespace vprov::partition
