// The memory of a running domain. Talks to its QEMU.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hypervisor/launch/domains.h"

namespace vprov::hypervisor {

// xl's way of writing sizes: a number of MiB, or with b, k, m, g or t behind it of that. Rounded down; nullopt: not
// one.
std::optional<std::uint64_t> parse_memory_mib(std::string_view text);

// What the guest has in MiB once its balloon driver has followed, or got as near as it can. A restart keeps the target.
// Throws Error(hypervisor) "cannot set the memory of 'a': CAUSE", with everything as before: more than its maxmem, it
// is paused, or no driver follows within 5 s.
std::uint64_t set_memory(const Domains& domains, const std::string& name, std::uint64_t mib);

}  // namespace vprov::hypervisor
