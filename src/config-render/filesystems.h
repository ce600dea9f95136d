// /etc/fstab. Pure.
#pragma once

#include <string>

#include "plan/plan.h"

namespace vprov::render {

// In the order in which they can be mounted, swap last, then what belongs to no disk. Named as [system] fstab says; a
// file system without a label, or a disk without a table, is named by UUID all the same.
std::string fstab(const plan::Plan& plan);

}  // namespace vprov::render
