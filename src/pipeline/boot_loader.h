// GRUB in a guest's tree, as grub-install(8) would leave it: without a device, without a mount, by the guest's own
// grub-mkimage(1).
#pragma once

#include <filesystem>

#include "bootstrap/configure/configure.h"
#include "bootstrap/configure/sandbox.h"
#include "plan/plan.h"

namespace vprov::pipeline {

// Modules, fonts, core image, menu, settings, answers to debconf for later upgrades, and for UEFI the files of the EFI
// system partition, in the tree's directory of that name. Nothing where the hypervisor loads the kernel. `sandbox` is
// of the tree. Throws Error(script) where a program of the guest fails, Error(disk) where a file is missing.
void install_boot_loader(const os::RootDir& root, const plan::Plan& plan, configure::Sandbox& sandbox);

// The kernels in GRUB's menu by their versions, the default one first; none where the hypervisor loads the kernel.
// Throws Error(disk).
std::vector<std::string> menu_kernels(const os::RootDir& root, const plan::Plan& plan);

// For a BIOS: writes what install_boot_loader() made into the first sector and the gap or the BIOS boot partition of
// `target`, the raw image or the device of `disk`, which has its partition table. Nothing for other disks than the one
// with /boot.
void write_boot_code(const os::RootDir& root, const plan::BootPlan& boot, const partition::DiskPlan& disk,
                     const std::filesystem::path& target);

}  // namespace vprov::pipeline
