// What [boot] comes to. Pure.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"

namespace vprov::plan {

// The recipe with what its way of starting takes and it does not say: a BIOS boot partition, an EFI system partition,
// names of devices that a BIOS has. `added` gets a phrase for each partition. Throws Error(recipe) for what cannot
// start: a root that is not on a partition, a BIOS and sectors of 4096 bytes, no kernel of the guest's own, and so on.
recipe::Recipe with_boot_partitions(const recipe::Recipe& asked, const std::string& architecture,
                                    std::vector<std::string>& added);

// Of a layout that was made of such a recipe, in which x-systemd.growfs is set where root is to grow. Throws
// Error(recipe) for a partition of root's that cannot grow.
BootPlan planned_boot(const recipe::Recipe& asked, const std::string& architecture, partition::DiskLayout& layout);

// Of Debian, besides the kernel.
std::vector<std::string> boot_packages(const recipe::Recipe& asked, const std::string& architecture);

}  // namespace vprov::plan
