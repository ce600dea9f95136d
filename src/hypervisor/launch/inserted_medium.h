// What a device of a running QEMU has in it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "hypervisor/launch/monitor.h"

namespace vprov::hypervisor {

// The medium of the disk or drive with this id, as "inserted" of query-block has it: "node-name", "drv", "image". A
// node has the name that was free when its device came, so only QEMU can tell which it is. nullopt: it has none, or
// there is no such device. Throws as Monitor::execute().
std::optional<nlohmann::json> inserted_medium(Monitor& monitor, std::string_view id);

}  // namespace vprov::hypervisor
