// Which machine a kernel is for, by its header. Pure.
#pragma once

#include <string_view>

namespace vprov::hypervisor {

// Debian's name for an architecture that this machine's QEMU cannot boot, of a kernel that begins with `head` (4096
// bytes are enough): "arm64" from the EFI header that kernels of these have (PE/COFF, 3.3.1), or from the boot
// protocols of arm64 and riscv64 (Documentation/arch/). "" for amd64, i386 and what does not say.
std::string_view foreign_machine(std::string_view head);

}  // namespace vprov::hypervisor
