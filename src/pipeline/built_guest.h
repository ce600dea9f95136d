// What builds have left in an output directory, by their manifests: to look at, to take away, to enlarge.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "os/command.h"

namespace vprov::pipeline {

struct BuiltDisk {
    std::string image;       // file name
    std::string filesystem;  // "ext4", "swap"
    std::string mount, uuid;
    Bytes size, allocated;  // as the guest sees it; on the host's disk
};

struct BuiltGuest {
    std::string name;
    std::filesystem::path directory;
    std::vector<BuiltDisk> disks;
    std::vector<std::string> addresses;
    std::vector<std::string> files;  // that the build made, relative to the directory
    unsigned long memory_mib = 0;
    unsigned vcpus = 0;
    std::filesystem::path configuration;
};

// Sorted by name. Directories without a manifest.json that can be read are passed over.
std::vector<BuiltGuest> built_guests(const std::filesystem::path& output);
// Throws Error(disk) where `name` is no such guest.
BuiltGuest built_guest(const std::filesystem::path& output, const std::string& name);

// Removes what the build has made, and what the pool has given the guest; files that others put beside them stay, and
// are returned. At every instant the guest is there whole or its name is free. Throws Error(disk).
std::vector<std::string> remove_guest(const BuiltGuest& guest);

enum class Shrinking { refused, allowed };

// Gives the disk with that image another size, and its file system too: in a copy that replaces the image when all has
// succeeded and e2fsck has nothing to say. Throws Error(usage) for a disk that is none of the guest's, one that would
// shrink and may not, and a file system that cannot be resized here; Error(disk) for one that is damaged or too full.
void resize_disk(const BuiltGuest& guest, const std::string& disk, Bytes size, Shrinking shrinking,
                 os::CommandRunner& runner);

}  // namespace vprov::pipeline
