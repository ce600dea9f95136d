// Images of a guest, made of a base: a sparse copy, or an overlay, whose files are edited in place.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "bootstrap/resolve/resolve.h"
#include "config-render/host_key_pair.h"
#include "os/command.h"
#include "pipeline/base_image.h"
#include "pipeline/shared_bases.h"
#include "plan/plan.h"

namespace vprov::pipeline {

struct GuestImages {
    std::vector<std::pair<std::string, std::string>> passwords;  // that were made up, by user
    partition::DiskLayout layout;                                // the plan's, with the overlays' bases
    std::vector<SharedBase> bases;  // of overlays; to be kept until the guest's manifest is there
};

// Makes the guest's images, its kernel and initrd and its log/ in `directory` from the base. `scratch` is an empty
// directory. Whether `base` is left whole or moved from is up to `use`; `early` is make_unique_files()'s. Throws what
// seal() throws.
enum class BaseUse { copy, consume };
GuestImages make_guest(const BaseImage& base, BaseUse use, const plan::Plan& plan, const resolve::PackageSet& packages,
                       const std::filesystem::path& scratch, const std::filesystem::path& directory,
                       os::CommandRunner& runner, render::EarlyHostKey* early = nullptr);

}  // namespace vprov::pipeline
