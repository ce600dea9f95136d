// Taking a block device for a guest: only when it is free, and empty or given up.
#pragma once

#include <filesystem>

namespace vprov::partition {

enum class Found { refused, given_up };  // given_up: --erase names the device

// Throws Error(disk) with a list: of who uses the device, always; of what is on it, unless that is given up. One that
// cannot be written is an error too.
void check_device(const std::filesystem::path& device, Found found);

// Whether what is written to one is written to the other: the same device, or one is a partition of the other.
bool overlap(const std::filesystem::path& one, const std::filesystem::path& other);

// Wipes the signatures of everything that contents_of() lists, and the first and the last mebibyte. Nothing but the
// device is touched. Throws Error(disk).
void erase_device(const std::filesystem::path& device);

// Has the kernel read the partition table. A device that has no partitions for the kernel (a volume, a loop device) is
// no error; one that is in use is not either: it is read when it is free.
void reread_table(const std::filesystem::path& device) noexcept;

}  // namespace vprov::partition
