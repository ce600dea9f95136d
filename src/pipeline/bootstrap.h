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
#include "pipeline/stage_timer.h"

namespace vprov::pipeline {

// What the stages use of the world.
struct Environment {
    archive::Transport& transport;
    os::CommandRunner& runner;
    Progress& progress;
    std::int64_t now = 0;  // seconds since the epoch
};

struct BootstrapRequest {
    std::vector<archive::Repository> repositories;
    std::string architecture;
    resolve::Request packages;
    std::filesystem::path cache;  // "" : archive::Cache::default_directory()
    std::filesystem::path root;   // an empty directory
    std::filesystem::path work;   // an existing directory on the same file system
    std::string hostname = "localhost";
    configure::Network network = configure::Network::none;  // what scripts see
    // Of `root`. Best made before an index is loaded, while this process is small; null: install() makes one.
    std::shared_ptr<configure::Sandbox> sandbox;
    std::function<void(const os::RootDir&)> prepare;  // see configure::ConfigureRequest
};

// What the archives offer and what was chosen from it. `packages` borrows from `index`.
struct Selection {
    deb::PackageIndex index;
    resolve::PackageSet packages;
};

std::shared_ptr<configure::Sandbox> make_sandbox(const BootstrapRequest& request);

Selection select_packages(const BootstrapRequest& request, const Environment& environment, StageTimer& timer);

// Fetches and unpacks side by side, then configures. Throws what the stages throw.
configure::ConfiguredRoot install(const BootstrapRequest& request, const Selection& selection,
                                  const Environment& environment, StageTimer& timer);

}  // namespace vprov::pipeline
