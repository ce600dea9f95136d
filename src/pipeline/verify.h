// An image built once more and compared.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "partition/compare/disk_comparison.h"
#include "pipeline/build.h"
#include "plan/plan.h"

namespace vprov::pipeline {

struct VerifiedFile {
    std::string name;  // "root.img", "vmlinuz"
    partition::DiskComparison result;
};

struct Verification {
    std::vector<VerifiedFile> files;  // in the order of the plan; kernel and initrd last
    std::vector<std::string> taken;   // for people: what was taken over from the image, for it is random by nature
    bool is_same() const;
};

// Which file of the host is which disk's image, by DiskPlan::name.
using Images = std::map<std::string, std::filesystem::path>;

// Those of a guest's directory, or the one that `image` is: by its file name, or `disk`. Throws Error(usage) for an
// image that is none of the plan's, and for a recipe that writes to devices: what was on one before is still there.
Images images_of(const plan::Plan& plan, const std::filesystem::path& image, const std::optional<std::string>& disk);

// Builds `plan`, which must be locked, from its packages in a directory of its own below `scratch`, with neither layers
// nor bases, which the images may have been made of, and compares. `images` are only read. With `directory`, what else
// a build has left there that a second one makes again is compared as well. Throws what build_all() throws.
Verification verify(const plan::Plan& plan, const Images& images, const std::optional<std::filesystem::path>& directory,
                    const std::filesystem::path& scratch, const RunEnvironment& environment);

}  // namespace vprov::pipeline
