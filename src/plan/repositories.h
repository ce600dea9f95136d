// Where a guest's packages come from: the recipe's mirror, else the host's, else the default. Pure.
#pragma once

#include <vector>

#include "plan/plan.h"

namespace vprov::plan {

// In order: the suite, -updates, -security (or what [system] sources name), the recipe's own. Throws Error(recipe) when
// there is no mirror, a keyring is missing, or the suite is no complete one.
std::vector<PlannedRepository> planned_repositories(const recipe::Recipe& recipe, const HostFacts& facts);

}  // namespace vprov::plan
