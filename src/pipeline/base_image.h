// Images of a configured tree that is no guest yet, and what makes a guest of their copies. Guests of one recipe differ
// in their identity only: each is a sparse copy whose files are edited in place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bootstrap/archive/archive.h"
#include "os/temp_dir.h"
#include "pipeline/bootstrap.h"
#include "plan/plan.h"

namespace vprov::pipeline {

// Whether guests of the plan are made that way: its file systems can be edited in place, all of them ext2/3/4.
bool is_clonable(const plan::Plan& plan);

// A directory:
//   IMAGE       for each disk with a tree, under a UUID of its own
//   vmlinuz, initrd.img   the initrd begins with room for interface names (initrd_names.h)
//   skeleton.tar          what of the tree an identity is written to (skeleton.h)
//   unique, named, date   as in a layer (Layers)
//   initrds     their paths in the tree
//   base        base_inputs()
//   log/        what the scripts said (ScriptLogs)
struct BaseImage {
    std::filesystem::path directory;
    std::int64_t date = 0;
    std::vector<std::string> unique, named;
};

// What a base of the layer (LayerInputs::digest()) follows from: equal text, equal base. Pure.
std::string base_inputs(const plan::Plan& plan, std::string_view layer);

// Makes one in `directory`, which is empty, of a tree that no identity has been written to. Throws Error(disk).
BaseImage make_base(Installed installed, const plan::Plan& plan, const std::string& inputs,
                    const std::filesystem::path& logs, const std::filesystem::path& directory,
                    os::CommandRunner& runner);

// DIR/layers/DIGEST of the cache, beside the layers.
class BaseImages {
  public:
    explicit BaseImages(const archive::Cache& cache) : cache_(cache) {}

    // From now on used: it is not pruned while this process runs.
    std::optional<BaseImage> find(const std::string& inputs) const;

    // A directory that keep() takes.
    os::TempDir begin() const;
    // Moves the finished base from `begun` to its place, where another process may have put its like. Throws
    // Error(disk).
    BaseImage keep(const os::TempDir& begun, const std::string& inputs) const;

  private:
    std::filesystem::path place_of(const std::string& inputs) const;
    const archive::Cache& cache_;
};

using Passwords = std::vector<std::pair<std::string, std::string>>;

// Makes the guest's images, its kernel and initrd and its log/ in `directory` from the base. `scratch` is an empty
// directory. Whether `base` is left whole or moved from is up to `use`. Throws what seal() throws.
enum class BaseUse { copy, consume };
Passwords make_guest(const BaseImage& base, BaseUse use, const plan::Plan& plan, const resolve::PackageSet& packages,
                     const std::filesystem::path& scratch, const std::filesystem::path& directory,
                     os::CommandRunner& runner);

}  // namespace vprov::pipeline
