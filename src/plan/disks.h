// The disks of a recipe with every name decided. Pure.
#pragma once

#include "partition/layout/layout.h"
#include "recipe/recipe.h"

namespace vprov::plan {

// Throws Error(recipe) for no root disk, and two disks with one name, mount point or guest device.
partition::DiskLayout planned_layout(const recipe::Recipe& recipe, const std::string& seed);

}  // namespace vprov::plan
