// What spans several keys of a disk. Pure.
#pragma once

#include "recipe/findings.h"
#include "recipe/recipe.h"

namespace vprov::recipe {

void check_disk(const Disk& disk, const Node& table, Findings& findings);
void check_partition(const Partition& partition, const Node& table, Findings& findings);

}  // namespace vprov::recipe
