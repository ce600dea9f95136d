// A guest's tree, configured by scripts that have seen the guest's name only where they must.
#pragma once

#include <string_view>

#include "pipeline/bootstrap.h"
#include "plan/plan.h"

namespace vprov::pipeline {

// The request of the first half of a build. `root` and `work` are left empty.
BootstrapRequest bootstrap_request(const plan::Plan& plan);

// The same with the files that a guest gets before scripts run, which see the host name `seen`.
BootstrapRequest guest_request(const plan::Plan& plan, std::string_view seen);

// With kUnnamedGuest, or the guest's own name where the packages are known to need it.
BootstrapRequest guest_request(const plan::Plan& plan, const resolve::PackageSet& packages);

// install() of a guest_request(plan, kUnnamedGuest), whose sandbox is there. Where the name turns out to be needed, all
// is installed a second time, and the cache knows from then on.
Installed install_guest(const BootstrapRequest& request, const plan::Plan& plan, const Selection& selection,
                        const Environment& environment, StageTimer& timer);

}  // namespace vprov::pipeline
