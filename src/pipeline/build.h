// A plan made real: one function, a line a stage.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/bootstrap.h"
#include "plan/plan.h"

namespace vprov::pipeline {

struct BuildResult {
    std::filesystem::path directory;      // plan.output, complete
    std::filesystem::path configuration;  // NAME.cfg in it
    std::filesystem::path password_file;  // mode 0600, in it; "" when no password was made up
    std::vector<StageTime> times;
};

// The request of the first half. `root` and `work` are left empty.
BootstrapRequest bootstrap_request(const plan::Plan& plan);

// The same with the files that a guest gets before scripts run.
BootstrapRequest guest_request(const plan::Plan& plan);

// For a recipe that installs nothing: the domain's configurations only. Needs no rights.
BuildResult build_description(const plan::Plan& plan, Progress& progress);

// Builds everything beside plan.output and renames it there at the end, replacing an earlier build. Whatever ends it
// before, plan.output is untouched; the work directory is removed, or, after SIGKILL, by the next build. Needs to be
// root, of a user namespace at least.
// Throws what the stages throw.
BuildResult build(const plan::Plan& plan, const Environment& environment);

}  // namespace vprov::pipeline
