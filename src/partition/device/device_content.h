// What is on a block device or image, and who uses it. Reads only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vprov::partition {

// One thing that is found.
struct Content {
    std::string text;  // "ext4 file system 'root', UUID ..."
    std::string uuid;  // of the file system, the swap space, the table; "" for what has none
};

// One for each table, file system, swap space, LVM or RAID member that libblkid finds on the device, and in each
// partition that libparted finds there: "gpt partition table", "partition 2, 2G at 65M: ext4 file system 'root'".
// Empty for a device without any. Throws Error(disk) for one that cannot be read.
std::vector<Content> things_on(const std::filesystem::path& device);
std::vector<std::string> contents_of(const std::filesystem::path& device);  // their texts

// Why nobody may write to it now: "/dev/sdb1 is mounted at '/mnt'", "... is swap space in use", "... is part of dm-0",
// "... is attached as /dev/loop1", "... is locked by another program", of the device and its partitions. Empty when it
// is free.
std::vector<std::string> uses_of(const std::filesystem::path& device);

}  // namespace vprov::partition
