// The guest's side of [system] agent = true.
#pragma once

#include <string_view>
#include <vector>

#include "config-render/guest_files.h"

namespace vprov::render {

// src/agent, for this program's own architecture.
std::string_view agent_program();

// The agent, the unit that runs it, and the rule by which udev starts that where the hypervisor has a port for it.
// None for a guest that is to have no agent. Throws Error(recipe) for one without systemd. Pure.
std::vector<GuestFile> agent_files(const plan::Plan& plan, const PackageNames& packages);

}  // namespace vprov::render
