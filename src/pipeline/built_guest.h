// What builds have left in an output directory, by their manifests. Reads only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace vprov::pipeline {

struct BuiltDisk {
    std::string image;       // file name
    std::string format;      // "raw", "qcow2"
    std::string filesystem;  // "ext4", "swap"; "" for a disk with a table
    std::string mount, uuid;
    std::string backing;    // of an overlay: its base's path from the guest's directory; "" : none
    Bytes size, allocated;  // as the guest sees it; on the host's disk
};

struct BuiltGuest {
    std::string name;
    std::filesystem::path directory;
    std::vector<BuiltDisk> disks;
    std::vector<std::string> volumes;  // devices that builds have made
    std::vector<std::string> addresses, macs;
    std::vector<std::string> files;  // that the build made, relative to the directory
    unsigned long memory_mib = 0;
    unsigned vcpus = 0;
    std::filesystem::path configuration;
};

// Sorted by name. Directories without a manifest.json that can be read are passed over.
std::vector<BuiltGuest> built_guests(const std::filesystem::path& output);
// Throws Error(disk) where `name` is no such guest.
BuiltGuest built_guest(const std::filesystem::path& output, const std::string& name);

}  // namespace vprov::pipeline
