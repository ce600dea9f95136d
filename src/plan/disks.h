// The disks of a recipe with every name decided. Pure, given HostFacts.
#pragma once

#include "partition/layout/layout.h"
#include "plan/plan.h"
#include "recipe/recipe.h"

namespace vprov::plan {

// Disks and partitions as they were asked for, with names, UUIDs and the defaults of fstab; partition::place() gives
// them their places, once nobody adds to them any more. Throws Error(recipe) for no root disk, and two disks with one
// name, mount point or guest device; Error(disk) for a device that is not there or too small.
partition::DiskLayout planned_layout(const recipe::Recipe& recipe, const std::string& seed, const HostFacts& facts);

}  // namespace vprov::plan
