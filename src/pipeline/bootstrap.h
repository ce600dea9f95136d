// The first half of a build, and all of `vprov bootstrap`: from repositories to a configured root file system.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bootstrap/archive/archive.h"
#include "bootstrap/configure/configure.h"
#include "bootstrap/configure/sandbox.h"
#include "bootstrap/resolve/resolve.h"
#include "os/command.h"
#include "pipeline/hooks.h"
#include "pipeline/layer_inputs.h"
#include "pipeline/local_debs.h"
#include "pipeline/stage_timer.h"

namespace vprov::pipeline {

enum class LayerUse {
    reuse,  // a configured layer of the cache; where there is none, keep one
    none,
};

enum class Dates {
    as_they_are,
    of_packages,  // nothing is later than ConfiguredRoot::date(): equal packages make equal trees on every day
};

// What the stages use of the world.
struct Environment {
    archive::Transport& transport;
    os::CommandRunner& runner;
    Progress& progress;
    std::int64_t now = 0;  // seconds since the epoch
    LayerUse layers = LayerUse::reuse;
};

struct BootstrapRequest {
    std::vector<archive::Repository> repositories;
    std::string architecture;  // the native one
    std::vector<std::string> foreign_architectures;
    deb::Architectures architectures() const { return {architecture, foreign_architectures}; }
    configure::UsrLayout usr = configure::UsrLayout::merged;
    resolve::Request packages;
    std::filesystem::path lock;          // a lock file to take the packages from; "" : what the archives offer now
    std::filesystem::path cache;         // "" : archive::Cache::default_directory()
    std::filesystem::path root;          // an empty directory
    std::filesystem::path work;          // an existing directory on the same file system
    std::string hostname = "localhost";  // that scripts see; kUnnamedGuest for a tree that is named afterwards
    Dates dates = Dates::as_they_are;
    std::filesystem::path script_logs;  // a directory to be made for what scripts say (ScriptLogs); "": in `work`
    configure::Network network = configure::Network::none;  // what scripts see
    // "PATH VALUE" for each file that prepare() writes. Without it no layer is used or kept.
    std::optional<std::vector<std::string>> prepared;
    // Of `root`. Best made before an index is loaded, while this process is small; null: install() makes one.
    std::shared_ptr<configure::Sandbox> sandbox;
    std::function<void(const os::RootDir&)> prepare;  // see configure::ConfigureRequest
    std::vector<LocalDeb> debs;                       // installed besides packages.include
    std::vector<deb::DebconfAnswer> debconf;
    std::vector<HookScript> hooks;  // run after prepare()
    std::map<std::string, std::string> hook_environment;
};

// What the archives offer and what was chosen from it. `packages` borrows from `index`.
struct Selection {
    deb::PackageIndex index;
    resolve::PackageSet packages;
    std::vector<std::string> mirrors{};  // of a lock: where a package may also be found at its path
};

// Throws Error(usage) where this machine runs no programs of `architecture`, saying what to do. `work` is an existing
// directory on the file system that they are going to run from.
void check_scripts_run(std::string_view architecture, const std::filesystem::path& work);

// After check_scripts_run().
std::shared_ptr<configure::Sandbox> make_sandbox(const BootstrapRequest& request);

Selection select_packages(const BootstrapRequest& request, const Environment& environment, StageTimer& timer);

// What `vprov plan` says of the configured layer that a build would use or make.
struct LayerState {
    std::string digest;  // of its inputs
    bool reused = false;
    std::string why_not;  // "" when it is
};
LayerState layer_state(const BootstrapRequest& request, const resolve::PackageSet& packages,
                       const Environment& environment);

LayerInputs inputs_of(const BootstrapRequest& request, const resolve::PackageSet& packages);

struct Installed {
    configure::ConfiguredRoot tree;
    std::vector<std::string> unique = {};  // UniqueFiles::known: stale or missing
    std::vector<std::string> named = {};   // NamedFiles::text
    std::string needs_name = {};           // NamedFiles::other: with kUnnamedGuest the tree is of no use
    std::string layer = {};                // LayerInputs::digest(), where there is such a layer now
    const os::RootDir& root() const { return tree.root(); }
};

// From a layer where there is one. Else fetches and unpacks side by side, configures, and keeps a layer. Throws what
// the stages throw.
Installed install(const BootstrapRequest& request, const Selection& selection, const Environment& environment,
                  StageTimer& timer);

// For a request with kUnnamedGuest: why its scripts must see the guest's own name, for people; "" where they need not,
// as far as is known.
std::string what_needs_name(const BootstrapRequest& request, const resolve::PackageSet& packages);

}  // namespace vprov::pipeline
