// Images of a configured tree that is no guest yet, in the cache. Guests of one recipe differ in their identity only:
// each is a copy whose files are edited in place (guest_images.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bootstrap/archive/archive.h"
#include "os/temp_dir.h"
#include "pipeline/bootstrap.h"
#include "plan/plan.h"

namespace vprov::pipeline {

// A directory:
//   NAME.img    for each disk with a tree, raw, under identifiers of its own (base_plan())
//   vmlinuz, initrd.img   the initrd begins with room for interface names (initrd_names.h), but a small one
//   skeleton.tar          what of the tree an identity is written to (skeleton.h)
//   unique, named, date   as in a layer (Layers)
//   programs    that accounts may have as shells (programs_of())
//   initrds     their paths in the tree
//   kernels     versions in GRUB's menu, the default one first
//   places      "NAME.img OFFSET": where the UUID of the file system with GRUB's menu stands in programs of its own
//   base        base_inputs()
//   digests     "DIGEST NAME" for each of these files (content_digest.h)
//   log/        what the scripts said (ScriptLogs)
struct BaseImage {
    std::filesystem::path directory;
    std::int64_t date = 0;
    std::vector<std::string> unique, named, programs, initrds, kernels;
    std::map<std::string, std::vector<std::uint64_t>> places;  // by image
    std::map<std::string, std::string> digests;                // by file

    std::filesystem::path image_of(const partition::DiskPlan& disk) const;
};

// Makes one in `directory`, which is empty, of a tree that no identity has been written to. GRUB, where the plan has
// it, is installed in it with base_plan(). Throws Error(disk).
BaseImage make_base(Installed installed, const plan::Plan& plan, const std::string& inputs,
                    const std::filesystem::path& logs, const std::filesystem::path& directory,
                    os::CommandRunner& runner);

// DIR/layers/DIGEST of the cache, beside the layers.
class BaseImages {
  public:
    explicit BaseImages(const archive::Cache& cache) : cache_(cache) {}

    bool exists(const std::string& inputs) const { return is_base(place_of(inputs)); }
    // From now on used: it is not pruned while this process runs.
    std::optional<BaseImage> find(const std::string& inputs) const;

    // A directory that keep() takes.
    os::TempDir begin() const;
    // Moves the finished base from `begun` to its place, where another process may have put its like. Throws
    // Error(disk).
    BaseImage keep(const os::TempDir& begun, const std::string& inputs) const;

    static bool is_base(const std::filesystem::path& layer);    // an entry of the cache
    static bool is_intact(const std::filesystem::path& layer);  // all files are what they were; never throws
    // It is not found any more.
    void remove(const BaseImage& base) const;

    std::filesystem::path place_of(const std::string& inputs) const;

  private:
    const archive::Cache& cache_;
};

// Whether bases are intact: each is looked at once, beside other work.
class BaseChecks {
  public:
    std::shared_future<bool> begin(const BaseImage& base);

  private:
    std::mutex mutex_;
    std::map<std::filesystem::path, std::shared_future<bool>> checks_;
};

}  // namespace vprov::pipeline
