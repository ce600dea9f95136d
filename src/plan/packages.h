// The packages a guest needs beyond those that its recipe names. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace vprov::plan {

// The recipe's choice; else none with a kernel of the host, and the distribution's default for the architecture.
std::string kernel_package(const recipe::System& system, const std::string& architecture);

// The names in recipe.system.include, without versions, releases, architectures and what is not to be installed.
std::set<std::string> included_names(const recipe::System& system);

// recipe.system.include and what the recipe and its repositories imply, without what it excludes; sorted, each once.
std::vector<std::string> planned_packages(const recipe::Recipe& recipe, const std::string& kernel_package,
                                          const std::vector<PlannedRepository>& repositories = {});

}  // namespace vprov::plan
