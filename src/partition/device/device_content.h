// What is on a block device or image, and who uses it. Reads only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vprov::partition {

// A line for each table, file system, swap space, LVM or RAID member that libblkid finds on the device, and in each
// partition that libparted finds there: "gpt partition table", "partition 2, 2G at 65M: ext4 file system 'root'".
// Empty for a device without any. Throws Error(disk) for one that cannot be read.
std::vector<std::string> contents_of(const std::filesystem::path& device);

// Why nobody may write to it now: "/dev/sdb1 is mounted at '/mnt'", "... is swap space in use", "... is part of dm-0",
// of the device and its partitions. Empty when it is free.
std::vector<std::string> uses_of(const std::filesystem::path& device);

}  // namespace vprov::partition
