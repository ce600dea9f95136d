// A plan made real: one function, a line a stage.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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
    partition::DiskLayout layout = {};  // as it was written: with the sizes that follow from the content
};

// What the stages use of the world, for several guests.
struct RunEnvironment {
    std::function<archive::Transport&(const plan::Plan&)> transport_for;
    os::CommandRunner& runner;
    Progress& progress;
    std::int64_t now = 0;  // seconds since the epoch
    LayerUse layers = LayerUse::reuse;
};

// For a recipe that installs nothing: the domain's configurations only. Needs no rights.
BuildResult build_description(const plan::Plan& plan, Progress& progress);

// Builds everything beside plan.output and renames it there at the end, replacing an earlier build. Whatever ends it
// before, plan.output is untouched; the work directory is removed, or, after SIGKILL, by the next build. Needs to be
// root, of a user namespace at least. Guests are built one after the other, sharing package lists and layers; those
// whose base (base_image.h) is there by then, on all cores at the end. What was built before a failure stays. Results
// are in the order of `plans`. Throws what the stages throw.
std::vector<BuildResult> build_all(const std::vector<plan::Plan>& plans, const RunEnvironment& environment);

}  // namespace vprov::pipeline
