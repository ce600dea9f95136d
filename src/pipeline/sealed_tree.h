// The last steps on a tree, and the images made of it.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "bootstrap/configure/configure.h"
#include "bootstrap/resolve/resolve.h"
#include "config-render/host_key_pair.h"
#include "os/command.h"
#include "pipeline/bootstrap.h"
#include "plan/plan.h"

namespace vprov::pipeline {

struct SealRequest {
    std::int64_t now = 0;               // seconds since the epoch
    std::filesystem::path work;         // an existing directory for a sandbox's own files
    std::filesystem::path script_logs;  // see ScriptLogs
    Progress& progress;
    render::EarlyHostKey* early = nullptr;  // see make_unique_files()
};

// A tree that nobody writes any more and in which nothing is mounted. Only seal() makes one, from a configured root.
class SealedTree {
  public:
    const os::RootDir& root() const { return configured_.root(); }
    std::int64_t date() const { return configured_.date(); }
    // "root: PASSWORD" and so on, for those that were made up.
    const std::vector<std::pair<std::string, std::string>>& passwords() const { return passwords_; }

  private:
    friend SealedTree seal_base(Installed, const plan::Plan&, std::size_t);
    friend SealedTree seal(Installed, const plan::Plan&, const resolve::PackageSet&, const SealRequest&);
    explicit SealedTree(configure::ConfiguredRoot configured) : configured_(std::move(configured)) {}
    configure::ConfiguredRoot configured_;
    std::vector<std::pair<std::string, std::string>> passwords_;
};

// Writes the guest's own files and accounts, then what the recipe adds, runs its hooks, and sees to what only one
// machine may have. Throws Error(recipe) for what only the tree can tell, Error(script) for a hook, Error(disk).
SealedTree seal(Installed installed, const plan::Plan& plan, const resolve::PackageSet& packages,
                const SealRequest& request);

// What write_identity() must know of the tree; see Installed.
struct IdentityPlaces {
    std::int64_t date = 0;
    std::vector<std::string> unique, named;
    render::EarlyHostKey* early = nullptr;  // see make_unique_files()
};

// The guest's own files and accounts, in its tree or in a skeleton of it; but nothing in /boot. Returns the passwords
// that were made up. Throws Error(disk), Error(recipe).
std::vector<std::pair<std::string, std::string>> write_identity(const os::RootDir& root, const IdentityPlaces& places,
                                                                const plan::Plan& plan,
                                                                const resolve::PackageSet& packages);

// What comes last, for hooks may have installed what makes keys: host keys that the recipe gives, no random seed, and
// nothing of one machine in a template. Throws Error(disk), Error(recipe).
void settle_machine(const os::RootDir& root, const plan::Plan& plan);

// A tree for images that guests are made of: without an identity, but with the mount points of plan.layout and
// `names_size` bytes in its initrds for the names of interfaces.
SealedTree seal_base(Installed installed, const plan::Plan& plan, std::size_t names_size);

// Puts vmlinuz and initrd.img into `directory`, where the guest has a kernel of its own: the tree's initrd, or a small
// one where the guest is to boot fast. Throws Error(disk).
void write_kernel(const SealedTree& tree, const plan::Plan& plan, const std::filesystem::path& directory);

}  // namespace vprov::pipeline
