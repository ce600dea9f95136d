// From a bootstrap's command line to what it fetches and where from.
#pragma once

#include "cli/bootstrap_command.h"
#include "plan/plan.h"

namespace vprov::cli {

// The command line becomes a recipe, so that every value passes the same checks and the mirror the same rules. Throws
// Error(usage) and Error(recipe).
plan::Plan plan_tree(const BootstrapCommand& command, plan::HostFacts facts);

// Whether /bin, /sbin and /lib become links into /usr: as asked; else for debootstrap not for what it says in
// debootstrap(8), the variant buildd up to bookworm and all of stretch and older; else yes.
bool has_merged_usr(const BootstrapCommand& command);

}  // namespace vprov::cli
