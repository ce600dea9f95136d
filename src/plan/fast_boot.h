// What [system] boot = "fast" comes to besides the small initrd. Pure.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"

namespace vprov::plan {

inline bool boots_fast(const recipe::Recipe& asked) {
    return asked.system.boot == recipe::BootSpeed::fast;
}

// Throws Error(recipe) for a guest that the small initrd cannot start: of another architecture than amd64, whose kernel
// is not its own, which GRUB starts, whose root device the small initrd would not find or could not mount.
void check_fast_boot(const Plan& plan);

// Units of systemd that are masked, sorted; none for other guests. Getty of a screen stays where the domain has one,
// and what deals with LVM where the recipe installs it.
std::vector<std::string> units_switched_off(const Plan& plan);

// Of systemd.generator(7), likewise: each is a program that runs whenever the system starts. cryptsetup's stays where
// the recipe installs that.
std::vector<std::string> generators_switched_off(const Plan& plan);

// Modules that no device loads by itself, for there is nothing behind it, sorted: modprobe.d(5)'s blacklist.
std::vector<std::string> modules_left_out(const Plan& plan);

}  // namespace vprov::plan
