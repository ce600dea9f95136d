// /etc/fstab. Pure.
#pragma once

#include <string>

#include "partition/layout/layout.h"

namespace vprov::render {

// By UUID, in the order in which they can be mounted, swap last. Options that are empty or "defaults" become Debian's:
// errors=remount-ro for the root, sw for swap.
std::string fstab(const partition::DiskLayout& layout);

}  // namespace vprov::render
