// From staged packages to a root file system whose maintainer scripts have run.
//
// Essential packages come first: merged, their preinsts run, configured. Then every other package in install order:
// its preinst runs in a working system, its files are merged, and dpkg --configure does the rest. Packages with a
// kernel come last, so that the initramfs is made once, when all that goes into it is configured.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "bootstrap/configure/base_system.h"
#include "bootstrap/configure/maintainer_scripts.h"
#include "bootstrap/configure/sandbox.h"
#include "bootstrap/deb/debconf_answer.h"
#include "bootstrap/unpack/staging.h"
#include "os/root_dir.h"

namespace vprov::configure {

struct ConfigureRequest {
    std::filesystem::path root;  // an empty directory
    deb::Architectures architectures = "";
    UsrLayout usr = UsrLayout::merged;
    Sandbox* sandbox = nullptr;  // of `root`, not used before; closed by configure()
    std::vector<const deb::Package*> packages;
    unpack::Stager* stager = nullptr;  // has all of them, or will: those that are needed first are waited for
    // Runs when the essential packages are configured and no other script has run: files that scripts ask for.
    std::function<void(const os::RootDir&)> prepare;
    // Runs when all packages but kernels are unpacked, before the scripts of the last ones. May be empty.
    std::function<void(const os::RootDir&)> before_pending;
    std::vector<deb::DebconfAnswer> debconf;     // known before the first script runs
    std::vector<const deb::Package*> automatic;  // came in as dependencies: apt's "auto-installed"
    OutputReader on_output;                      // may be empty
};

// A tree that dpkg calls installed, with nothing mounted in it and no process at work on it. Only configure() and the
// tests make one.
class ConfiguredRoot {
  public:
    explicit ConfiguredRoot(std::filesystem::path path, std::int64_t date = 0) : root_(std::move(path)), date_(date) {}
    const os::RootDir& root() const { return root_; }
    // Seconds since the epoch: when the newest file of its packages was made. It follows from the packages alone, and
    // stands for the time of the build where trees of equal packages are to be equal.
    std::int64_t date() const { return date_; }

  private:
    os::RootDir root_;
    std::int64_t date_ = 0;
};

// Throws Error(script) naming package, script, exit status and the script's last lines, Error(packages) for files that
// two packages claim, Error(disk), Error(interrupted). The tree is of no use after a failure.
ConfiguredRoot configure(const ConfigureRequest& request, Progress& progress);

}  // namespace vprov::configure
