#include "pipeline/bootstrap.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/unpack/staging.h"

namespace vprov::pipeline {
namespace {

archive::Cache open_cache(const BootstrapRequest& request) {
    return archive::Cache(request.cache.empty() ? archive::Cache::default_directory() : request.cache);
}

std::string summary_of(const resolve::PackageSet& packages) {
    return fmt::format("{} packages, {} to fetch, {} unpacked", packages.packages.size(), human(packages.download_size()),
                       human(packages.installed_size()));
}

// Fetching and unpacking overlap: each package is staged as soon as its digest has matched.
std::vector<unpack::StagedPackage> fetch_and_stage(const BootstrapRequest& request, const Selection& selection,
                                                   const Environment& environment, StageTimer& timer) {
    auto cache = open_cache(request);
    std::vector<const deb::Package*> wanted;
    for (const auto& selected : selection.packages.packages) wanted.push_back(selected.package);
    timer.start(Stage::fetch);
    unpack::Stager stager(request.work / "stage", environment.progress);
    archive::fetch_packages(selection.index, wanted, environment.transport, cache, environment.progress,
                            [&](const archive::DebFile& file) { stager.add(*file.package, file.path); });
    timer.finish(fmt::format("{} packages, {}", wanted.size(), human(selection.packages.download_size())));
    timer.start(Stage::unpack);
    auto staged = stager.finish();
    timer.finish(fmt::format("{} packages", staged.size()));
    return staged;
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
    configuration.packages = fetch_and_stage(request, selection, environment, timer);
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
