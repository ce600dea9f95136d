// The boot loader's files in the guest: GRUB's menu and its settings, and what makes root grow with its disk. Pure.
#pragma once

#include <string>
#include <vector>

#include "config-render/guest_files.h"
#include "plan/plan.h"

namespace vprov::render {

// Of GRUB: /boot/grub/grub.cfg, with an entry for each of `kernels` (versions as in "vmlinuz-VERSION", the default one
// first), /boot/grub/grubenv, and settings from which update-grub makes a menu that means the same. Nothing where the
// hypervisor loads the kernel.
std::vector<GuestFile> grub_files(const plan::Plan& plan, const std::vector<std::string>& kernels);

// A service, enabled, that makes root's partition larger when the guest starts, where the recipe asks for that and root
// is in one. Its file system follows by an option in fstab.
std::vector<GuestFile> grow_files(const plan::Plan& plan);

}  // namespace vprov::render
