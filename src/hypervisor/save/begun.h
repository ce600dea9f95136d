// Whether a domain goes on that was brought from elsewhere. Talks to its QEMU's supervisor.
#pragma once

#include <string>

#include "hypervisor/launch/domains.h"

namespace vprov::hypervisor {

// After Operation::run() or done() has failed: its supervisor may have died before it did that, or before it said so.
// True when its next one finds the domain as it shall be, running or paused; otherwise it has been ended.
bool has_begun_all_the_same(const Domains& domains, const std::string& name, Phase wanted);

}  // namespace vprov::hypervisor
