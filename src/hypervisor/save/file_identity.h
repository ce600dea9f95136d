// Files as they were at one moment, to see later that nobody has written to them since.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

struct FileIdentity {
    std::string path;
    std::uint64_t size = 0;     // bytes; of a block device its capacity
    std::int64_t modified = 0;  // nanoseconds since 1970; 0 for a block device, whose node does not tell
    std::uint64_t inode = 0;    // 0 for a block device
    bool operator==(const FileIdentity&) const = default;
};

// Throws Error(hypervisor) "cannot find the disk 'PATH': ...".
FileIdentity identify_file(const std::filesystem::path& path);

// The guest's disks and, of qcow2 ones, the files that they are overlays of. Throws Error(hypervisor).
std::vector<FileIdentity> identify_disks(const Guest& guest);

// What has become of it since, as the end of a sentence: "it has been written to at 2026-11-22 03:04:05"; "" : nothing.
std::string change_since(const FileIdentity& then);

}  // namespace vprov::hypervisor
