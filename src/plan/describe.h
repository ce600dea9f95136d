// A plan for a person to read. Pure.
#pragma once

#include <string>

#include "plan/plan.h"

namespace vprov::plan {

// Sections with a heading each (Guest, Repositories, Packages, Disks, Network, Domain), columns aligned, lines end in
// a newline. The package list is what was asked for; the resolver's answer is not part of a plan. No secret is shown.
std::string describe(const Plan& plan);

}  // namespace vprov::plan
