// The kernels that a guest's tree has.
#pragma once

#include <string>
#include <vector>

#include "os/root_dir.h"

namespace vprov::pipeline {

struct GuestKernel {
    std::string file, initrd;  // in /boot: "vmlinuz-6.1.0-1-amd64", "initrd.img-6.1.0-1-amd64"
    std::string version;
};

// The newest first, as dpkg compares versions.
std::vector<GuestKernel> guest_kernels(const os::RootDir& root);

// The first of them, which must have an initrd. Throws Error(disk) where there is none; `package` is what was to bring
// it.
GuestKernel newest_kernel(const os::RootDir& root, const std::string& package);

}  // namespace vprov::pipeline
