// The keys of xl.cfg(5) by what vprov does with them. Pure.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

std::span<const std::string_view> used_cfg_keys();

// Keys that xl understands and whose absence a guest in QEMU cannot notice, or that are always so here (a serial
// console). A key whose loss matters (vncpasswd, pci, bootloader) is in neither list and therefore warned about.
bool is_ignored_cfg_key(std::string_view key);

// "destroy", "rename-restart", ...
std::string_view action_name(LifecycleAction action);
extern const std::array<std::pair<std::string_view, LifecycleAction>, 6> kActionNames;

}  // namespace vprov::hypervisor
