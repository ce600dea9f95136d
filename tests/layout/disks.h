// Disks for the tests of this folder.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "partition/layout/placement.h"

namespace vprov::partition {

inline Volume fixed(const std::string& name, Bytes size) {
    Volume volume;
    volume.name = name;
    volume.mount = "/" + name;
    volume.size = size;
    return volume;
}

inline Volume rest(const std::string& name) {
    auto volume = fixed(name, {});
    volume.sizing = Sizing::rest;
    return volume;
}

inline Volume logical(Volume volume) {
    volume.logical = true;
    return volume;
}

inline DiskPlan disk_of(Table table, Bytes size, std::vector<Volume> volumes) {
    DiskPlan disk;
    disk.name = "system";
    disk.image = "system.img";
    disk.guest = "xvda";
    disk.table = table;
    disk.table_uuid.bytes[15] = 0xff;
    disk.size = size;
    disk.volumes = std::move(volumes);
    return disk;
}

}  // namespace vprov::partition
