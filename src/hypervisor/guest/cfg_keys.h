// The keys of xl.cfg(5) by what vprov does with them. Pure.
#pragma once

#include <span>
#include <string_view>

namespace vprov::hypervisor {

// Those that Guest has a member for.
std::span<const std::string_view> used_cfg_keys();

// The other ones of xl.cfg(5): kept as they are in Guest::other.
bool is_kept_cfg_key(std::string_view key);

// Of those, keys whose absence a guest in QEMU cannot notice, or that are always so here. The loss of any other one
// (pci, nestedhvm) is worth a warning.
bool is_ignored_by_qemu(std::string_view key);

// What xm's configurations have besides, and what has no meaning for anything else: device_model, vncviewer.
bool is_leftover_of_xm(std::string_view key);

}  // namespace vprov::hypervisor
