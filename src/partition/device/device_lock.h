// Who writes to a device, among those that ask: builds, and udev, by the rules of systemd.io/BLOCK_DEVICE_LOCKING.
#pragma once

#include <filesystem>

#include "os/fd.h"

namespace vprov::partition {

// Of a whole disk, or of a partition while its disk is nobody's: builds for two partitions of one disk go together.
class DeviceLock {
  public:
    // udev, which looks at a device for a moment, is waited for. Throws Error(disk) when another build has it.
    explicit DeviceLock(const std::filesystem::path& device);

    static bool is_held(const std::filesystem::path& device);  // false for a device that cannot be opened

  private:
    os::Fd disk_, partition_;
};

}  // namespace vprov::partition
