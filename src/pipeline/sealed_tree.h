// The last steps on a tree, and the images made of it.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "bootstrap/configure/configure.h"
#include "bootstrap/resolve/resolve.h"
#include "os/command.h"
#include "plan/plan.h"

namespace vprov::pipeline {

struct SealRequest {
    std::int64_t now = 0;               // seconds since the epoch
    std::filesystem::path work;         // an existing directory for a sandbox's own files
    std::filesystem::path script_logs;  // see ScriptLogs
    Progress& progress;
};

// A tree that nobody writes any more and in which nothing is mounted. Only seal() makes one, from a configured root.
class SealedTree {
  public:
    const os::RootDir& root() const { return configured_.root(); }
    // "root: PASSWORD" and so on, for those that were made up.
    const std::vector<std::pair<std::string, std::string>>& passwords() const { return passwords_; }

  private:
    friend SealedTree seal(configure::ConfiguredRoot, const plan::Plan&, const resolve::PackageSet&,
                           const SealRequest&);
    explicit SealedTree(configure::ConfiguredRoot configured) : configured_(std::move(configured)) {}
    configure::ConfiguredRoot configured_;
    std::vector<std::pair<std::string, std::string>> passwords_;
};

// Writes the guest's own files and accounts, then what the recipe adds, runs its hooks, and sees to what only one
// machine may have. Throws Error(recipe) for what only the tree can tell, Error(script) for a hook, Error(disk).
SealedTree seal(configure::ConfiguredRoot configured, const plan::Plan& plan, const resolve::PackageSet& packages,
                const SealRequest& request);

// Puts vmlinuz and initrd.img into `directory`, where the guest has a kernel of its own. Throws Error(disk).
void write_kernel(const SealedTree& tree, const plan::Plan& plan, const std::filesystem::path& directory);

}  // namespace vprov::pipeline
