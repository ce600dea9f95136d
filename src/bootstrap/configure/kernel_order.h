// When a kernel's postinst, which makes the initramfs and takes longer than all others together, can run beside the
// rest. Pure.
//
// dpkg may configure a kernel as soon as all that it depends on is configured, whatever else there is: a package that
// changes what goes into an initramfs says so with update-initramfs(8), and it is made again. Running the script at the
// same time as those of the rest gives one of the trees that dpkg could have given. To make it once, and the same each
// time, everything that has to do with an initramfs comes before it all the same.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bootstrap/configure/install_order.h"
#include "bootstrap/unpack/staging.h"

namespace vprov::configure {

using PackageSet = std::unordered_set<const deb::Package*>;

// Ships a kernel image in /boot.
bool is_kernel(const unpack::StagedPackage& package);

// dpkg itself is not needed to configure it: no conffiles, no questions, no triggers that it activates.
bool may_run_beside(const unpack::StagedPackage& kernel);

struct KernelOrderRequest {
    std::vector<const deb::Package*> kernels;
    std::vector<const deb::Package*> pending;  // all other unpacked packages, in the order they would be configured in
    const std::unordered_map<const deb::Package*, Needs>* needs = nullptr;
    std::function<const unpack::StagedPackage&(const deb::Package*)> staged;
};

// Those of `pending`, in its order, that have to be configured before the kernels' scripts start: what they need; what
// has a hand in the initramfs, or in what happens when a kernel comes; all that these need; and of the packages that
// make accounts every one before the last of these, because the numbers of accounts follow from their order.
std::vector<const deb::Package*> configured_before_kernels(const KernelOrderRequest& request);

}  // namespace vprov::configure
