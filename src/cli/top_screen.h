// `vprov top` on a terminal.
#pragma once

#include <chrono>

#include "cli/top_table.h"
#include "hypervisor/launch/domains.h"

namespace vprov::cli {

// Shows the domains until q is typed or a stop is requested. The terminal is restored on every way out.
void run_top_screen(const hypervisor::Domains& domains, std::chrono::milliseconds delay, TopOrder order);

}  // namespace vprov::cli
