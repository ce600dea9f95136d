// The disks of a plan as JSON, for manifest.json and the event "plan". Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "partition/layout/layout.h"

namespace vprov::pipeline {

// An array, one object a disk: image or device, guest, size in bytes, and either filesystem, mount and uuid, or format,
// table, table_uuid and partitions.
nlohmann::ordered_json disks_json(const partition::DiskLayout& layout);

}  // namespace vprov::pipeline
