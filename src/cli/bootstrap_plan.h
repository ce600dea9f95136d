// From a bootstrap's command line to what it fetches and where from.
#pragma once

#include "bootstrap/configure/base_system.h"
#include "cli/bootstrap_command.h"
#include "plan/plan.h"

namespace vprov::cli {

// The command line becomes a recipe, so that every value passes the same checks and the mirror the same rules. Throws
// Error(usage) and Error(recipe).
plan::Plan plan_tree(const BootstrapCommand& command, plan::HostFacts facts);

// Whether /bin, /sbin and /lib become links into /usr: as asked; else by debootstrap's name as debootstrap(8) says, not
// for the variant buildd up to bookworm and not for stretch and older; else yes.
configure::UsrLayout usr_layout(const BootstrapCommand& command);

}  // namespace vprov::cli
