#include "pipeline/bootstrap.h"

#include <fmt/format.h>

#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/configure/install_order.h"
#include "bootstrap/unpack/staging.h"

namespace vprov::pipeline {
namespace {

archive::Cache open_cache(const BootstrapRequest& request) {
    return archive::Cache(request.cache.empty() ? archive::Cache::default_directory() : request.cache);
}

std::string summary_of(const resolve::PackageSet& packages) {
    return fmt::format("{} packages, {} to fetch, {} unpacked", packages.packages.size(),
                       human(packages.download_size()), human(packages.installed_size()));
}

// Each package is staged as soon as its digest has matched, and those that are configured first come first.
void fetch(const BootstrapRequest& request, const Selection& selection, const std::vector<const deb::Package*>& wanted,
           const Environment& environment, unpack::Stager& stager) {
    auto cache = open_cache(request);
    const auto first = configure::essential_closure(wanted);
    const std::unordered_set<const deb::Package*> urgent(first.begin(), first.end());
    archive::fetch_packages(
        selection.index, wanted, environment.transport, cache, environment.progress, [&](const archive::DebFile& file) {
            stager.add(
                *file.package, file.path,
                urgent.contains(file.package) ? unpack::Stager::Urgency::first : unpack::Stager::Urgency::ordinary);
        });
}

}  // namespace

Selection select_packages(const BootstrapRequest& request, const Environment& environment, StageTimer& timer) {
    auto cache = open_cache(request);
    timer.start(Stage::index);
    auto index = archive::fetch_index(request.repositories, request.architecture, environment.transport,
                                      environment.runner, cache, environment.now, environment.progress);
    timer.finish(fmt::format("{} repositories, {} packages", index.releases().size(), index.packages().size()));
    timer.start(Stage::resolve);
    auto packages = resolve::resolve(index, request.packages);
    timer.finish(summary_of(packages));
    return {std::move(index), std::move(packages)};
}

configure::ConfiguredRoot install(const BootstrapRequest& request, const Selection& selection,
                                  const Environment& environment, StageTimer& timer) {
    std::filesystem::create_directory(request.work / "stage");
    configure::ConfigureRequest configuration;
    for (const auto& selected : selection.packages.packages) configuration.packages.push_back(selected.package);
    unpack::Stager stager(request.work / "stage", environment.progress);
    configuration.stager = &stager;
    timer.start(Stage::fetch);
    fetch(request, selection, configuration.packages, environment, stager);
    timer.finish(
        fmt::format("{} packages, {}", configuration.packages.size(), human(selection.packages.download_size())));
    // Configuring starts when the essential packages are there; the others are unpacked meanwhile.
    timer.start(Stage::unpack);
    const auto essential = configure::essential_closure(configuration.packages);
    for (const auto* package : essential) stager.get(*package);
    timer.finish(fmt::format("{} essential packages, the others meanwhile", essential.size()));
    configuration.root = request.root;
    configuration.work = request.work;
    configuration.architecture = request.architecture;
    configuration.hostname = request.hostname;
    configuration.prepare = request.prepare;
    for (const auto& selected : selection.packages.packages)
        if (selected.automatic)
            configuration.automatic.emplace_back(selected.package->name);
    timer.start(Stage::configure);
    auto configured = configure::configure(std::move(configuration), environment.progress);
    timer.finish(fmt::format("{} packages", selection.packages.packages.size()));
    return configured;
}

}  // namespace vprov::pipeline
