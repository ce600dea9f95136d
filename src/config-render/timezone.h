// The recipe's time zone against those that the guest knows.
#pragma once

#include "os/root_dir.h"
#include "plan/plan.h"

namespace vprov::render {

// Throws Error(recipe), with the nearest name, for a zone that is not in the tree's /usr/share/zoneinfo. Passes for UTC
// and for none.
void check_timezone(const os::RootDir& root, const plan::Plan& plan);

}  // namespace vprov::render
