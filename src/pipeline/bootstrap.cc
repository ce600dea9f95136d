#include "pipeline/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/cache_entries.h"
#include "bootstrap/configure/install_order.h"
#include "bootstrap/unpack/staging.h"
#include "config-render/accounts.h"
#include "os/foreign_programs.h"
#include "os/user_namespace.h"
#include "pipeline/data_copies.h"
#include "pipeline/debconf_answers.h"
#include "pipeline/guest_name.h"
#include "pipeline/layers.h"
#include "pipeline/lock_file.h"
#include "pipeline/script_logs.h"
#include "pipeline/tree_dates.h"
#include "pipeline/unique_files.h"

namespace vprov::pipeline {
namespace {

archive::Cache open_cache(const BootstrapRequest& request) {
    return archive::Cache(request.cache.empty() ? archive::Cache::default_directory() : request.cache);
}

std::string summary_of(const resolve::PackageSet& packages) {
    return fmt::format("{} packages, {} to fetch, {} unpacked", packages.packages.size(),
                       human(packages.download_size()), human(packages.installed_size()));
}

// Packages are staged while others are still being fetched. The essential ones go first, so that configuring can begin:
// the others wait until those have arrived, or a large one would keep a core from them.
class StagingQueue {
  public:
    StagingQueue(unpack::Stager& stager, const archive::Cache& cache, const std::vector<const deb::Package*>& first)
        : stager_(stager), cache_(cache), missing_(first.begin(), first.end()) {}

    void add(const archive::DebFile& file) {
        if (missing_.erase(file.package) > 0)
            stage(file);
        else
            waiting_.push_back(file);
        if (!missing_.empty())
            return;
        for (const auto& other : waiting_) stage(other);
        waiting_.clear();
    }

  private:
    void stage(const archive::DebFile& file) {
        const auto copy = cache_.data_copy_of(file.digest);
        archive::Cache::mark_used(copy);
        stager_.add(*file.package, file.path, copy);
    }

    unpack::Stager& stager_;
    const archive::Cache& cache_;
    std::unordered_set<const deb::Package*> missing_;
    std::vector<archive::DebFile> waiting_;
};

std::filesystem::path logs_of(const BootstrapRequest& request) {
    return request.script_logs.empty() ? request.work / "log" : request.script_logs;
}

std::string text_of(const resolve::Deviation& deviation) {
    const auto list = [](const std::vector<std::string>& names) {
        return names.empty() ? "nothing" : joined(names, ", ");
    };
    return fmt::format("apt would give up: {}. Another choice fits together; taken instead: {}; left out: {}",
                       deviation.cause, list(deviation.taken), list(deviation.left_out));
}

// The lock has all that the index would say of its packages, and their digests: no Release file is asked for.
Selection select_locked(const BootstrapRequest& request, StageTimer& timer) {
    timer.start(Stage::index);
    const auto name = request.lock.native();
    auto selection = locked_selection(read_lock(os::read_file(request.lock, ErrorKind::recipe), name), request);
    timer.finish(fmt::format("locked by {}", name));
    timer.start(Stage::resolve);
    timer.finish(summary_of(selection.packages));
    return selection;
}

// Libraries of an architecture that does not run here are of use all the same, to a compiler for it: apt and dpkg
// install them, and so is it here.
void warn_of_foreign_scripts(const BootstrapRequest& request, const resolve::PackageSet& packages, Progress& progress) {
    for (const auto& architecture : request.foreign_architectures) {
        if (std::none_of(packages.packages.begin(), packages.packages.end(),
                         [&](const auto& selected) { return selected.package->architecture == architecture; }))
            continue;
        const auto obstacle = os::what_forbids_programs_of(architecture, request.work);
        if (!obstacle.cause.empty())
            progress.warning(fmt::format("scripts of packages fail where they call programs of {}: {}", architecture,
                                         obstacle.text()));
    }
}

configure::ConfiguredRoot install_anew(const BootstrapRequest& request, const Selection& selection,
                                       configure::Sandbox& sandbox, const Environment& environment, StageTimer& timer) {
    warn_of_foreign_scripts(request, selection.packages, environment.progress);
    const auto host_key = begin_host_key(selection.packages, request.hostname, render::EarlyHostKey::Haste::later);
    std::filesystem::create_directory(request.work / "stage");
    configure::ConfigureRequest configuration;
    for (const auto& selected : selection.packages.packages) configuration.packages.push_back(selected.package);
    const auto essential = configure::essential_closure(configuration.packages);
    unpack::Stager stager(request.work / "stage", environment.progress);
    configuration.stager = &stager;
    auto cache = open_cache(request);
    StagingQueue queue(stager, cache, essential);
    DataCopies copies(cache);
    timer.start(Stage::fetch);
    archive::fetch_packages(
        selection.index, configuration.packages, environment.transport, cache, environment.progress,
        [&](const archive::DebFile& file) {
            queue.add(file);
            copies.add(file);
        },
        selection.mirrors);
    timer.finish(
        fmt::format("{} packages, {}", configuration.packages.size(), human(selection.packages.download_size())));
    timer.start(Stage::unpack);
    for (const auto* package : essential) stager.get(*package);
    timer.finish(fmt::format("{} essential packages, the others meanwhile", essential.size()));
    copies.start();
    configuration.root = request.root;
    configuration.architectures = request.architectures();
    configuration.usr = request.usr;
    configuration.sandbox = &sandbox;
    configuration.debconf = request.debconf;
    ScriptLogs logs(logs_of(request));
    configuration.prepare = [&](const os::RootDir& root) {
        if (request.prepare)
            request.prepare(root);
        run_hooks(request.hooks, request.hook_environment, sandbox, root, logs, environment.progress);
    };
    if (host_key)
        configuration.before_pending = [&](const os::RootDir& root) { place_host_key(root, *host_key); };
    configuration.on_output = [&](std::string_view package, std::string_view line) { logs.add(package, line); };
    for (const auto& selected : selection.packages.packages)
        if (selected.automatic)
            configuration.automatic.push_back(selected.package);
    timer.start(Stage::configure);
    auto configured = configure::configure(configuration, environment.progress);
    timer.finish(fmt::format("{} packages", selection.packages.packages.size()));
    return configured;
}

}  // namespace

void check_scripts_run(std::string_view architecture, const std::filesystem::path& work) {
    const auto obstacle = os::what_forbids_programs_of(architecture, work);
    if (!obstacle.cause.empty())
        throw error(
            ErrorKind::usage,
            "cannot run the scripts of {} packages here: {}\n"
            "Without them: 'vprov bootstrap --foreign --arch={}' unpacks a tree that is completed where they run",
            architecture, obstacle.text(), architecture);
}

std::shared_ptr<configure::Sandbox> make_sandbox(const BootstrapRequest& request) {
    check_scripts_run(request.architecture, request.work);
    return std::make_shared<configure::Sandbox>(request.root, request.work, request.hostname, request.network);
}

Selection select_packages(const BootstrapRequest& request, const Environment& environment, StageTimer& timer) {
    auto cache = open_cache(request);
    keep_in_cache(request.debs, cache);
    if (!request.lock.empty())
        return select_locked(request, timer);
    std::vector<archive::LocalPackages> local;
    auto asked = request.packages;
    if (!request.debs.empty()) {
        local.push_back(local_packages(request.debs));
        std::ranges::move(wishes_for(request.debs), std::back_inserter(asked.include));
    }
    timer.start(Stage::index);
    auto index = archive::fetch_index(request.repositories, request.architectures(), environment.transport,
                                      environment.runner, cache, environment.now, environment.progress, local);
    timer.finish(fmt::format("{} repositories, {} packages", index.releases().size(), index.packages().size()));
    timer.start(Stage::resolve);
    auto packages = resolve::resolve(index, asked);
    if (packages.deviation)
        environment.progress.warning(text_of(*packages.deviation));
    timer.finish(summary_of(packages));
    return {std::move(index), std::move(packages), {}};
}

// A tree has fewer owners, or no device files, where a user namespace lacks them.
std::vector<std::string> options_by_ids() {
    switch (os::root_by()) {
        case os::RootBy::being_root:
            return {};
        case os::RootBy::single_id:
            return {"ids single"};
        case os::RootBy::nested_ids:
        case os::RootBy::subordinate_ids:
            break;
    }
    return {"ids namespace"};
}

// "" where a tree that was configured for the request is good for any other of the same inputs.
std::string why_no_layer(const BootstrapRequest& request, const Environment& environment) {
    if (environment.layers == LayerUse::none || !request.prepared)
        return "layers are not wanted";
    if (request.network != configure::Network::none)
        return "scripts see the host's network";  // what that says is in no digest
    return has_password(request.debconf) ? "a debconf answer is a password" : "";
}

LayerInputs inputs_of(const BootstrapRequest& request, const resolve::PackageSet& packages) {
    auto options = options_by_ids();
    options.push_back(fmt::format("usr {}", static_cast<int>(request.usr)));
    for (const auto& [owner, question, type, value] : request.debconf)
        options.push_back(fmt::format("debconf:{}:{} {} {}", owner, question, type, sha256(value).hex()));
    for (std::size_t i = 0; i < request.hooks.size(); ++i)
        options.push_back(fmt::format("hook:{}:{} {}", i, request.hooks[i].name, sha256(request.hooks[i].text).hex()));
    if (!request.hooks.empty())
        for (const auto& [name, value] : request.hook_environment)
            options.push_back(fmt::format("hook-environment:{} {}", name, value));
    if (!request.foreign_architectures.empty())
        options.push_back("foreign_architectures " + joined(request.foreign_architectures, " "));
    return layer_inputs(packages, {request.architecture, request.hostname,
                                   request.prepared.value_or(std::vector<std::string>{}), std::move(options)});
}

LayerState layer_state(const BootstrapRequest& request, const resolve::PackageSet& packages,
                       const Environment& environment) {
    const auto inputs = inputs_of(request, packages);
    const auto cache = open_cache(request);
    const Layers layers(cache);
    LayerState state{inputs.digest().hex(), false, why_no_layer(request, environment)};
    if (!state.why_not.empty())
        return state;
    state.reused = layers.find(inputs).has_value();
    state.why_not = state.reused ? "" : layers.why_none(inputs);
    return state;
}

namespace {

// Keeps a layer of it, unless the tree is for one guest only. The tree is there without it: a cache that is full, say,
// costs the next build some time and this one nothing.
void keep_layer(Installed& installed, const BootstrapRequest& request, const Layers& layers, const LayerInputs& inputs,
                Progress& progress) {
    try {
        if (!installed.needs_name.empty())
            return layers.keep_needs_name(inputs, installed.needs_name);
        const auto why = layers.keep(inputs, installed.tree, installed.named, logs_of(request));
        if (why.empty())
            installed.layer = inputs.digest().hex();
        else
            progress.detail(fmt::format("no layer is kept: {}", why));
    } catch (const Error& e) {
        if (e.kind() != ErrorKind::disk)
            throw;
        progress.warning(
            fmt::format("no layer is kept in {}: {}", quote(layers.cache().directory().native()), e.message()));
    }
}

Installed installed_anew(const BootstrapRequest& request, const Selection& selection, configure::Sandbox& sandbox,
                         const Environment& environment, StageTimer& timer) {
    Installed installed{install_anew(request, selection, sandbox, environment, timer)};
    const auto& tree = installed.tree;
    if (request.dates == Dates::of_packages) {
        render::limit_password_dates(tree.root(), tree.date());
        limit_dates(tree.root().path(), tree.date());
    }
    installed.unique = find_unique_files(tree.root()).known;
    if (request.hostname == kUnnamedGuest) {
        auto named = find_named_files(tree.root().path(), tree.date(), installed.unique);
        installed.named = std::move(named.text);
        installed.needs_name = std::move(named.other);
    }
    return installed;
}

std::optional<Installed> restored(const BootstrapRequest& request, const Layers& layers,
                                  const std::filesystem::path& layer, const Selection& selection, StageTimer& timer) {
    timer.start(Stage::configure);
    auto tree = layers.restore(layer, request.root);
    timer.finish(tree ? fmt::format("{} packages, from layer {:.12}", selection.packages.packages.size(),
                                    layer.filename().native())
                      : "a damaged layer was removed");
    if (!tree)
        return std::nullopt;
    std::filesystem::copy(layer / "log", logs_of(request));
    if (request.hostname != kUnnamedGuest)
        make_unique_files(tree->root(), Layers::unique_files(layer), request.hostname,
                          host_key_format(selection.packages));
    return Installed{std::move(*tree), Layers::unique_files(layer), Layers::named_files(layer), "",
                     layer.filename().native()};
}

}  // namespace

Installed install(const BootstrapRequest& request, const Selection& selection, const Environment& environment,
                  StageTimer& timer) {
    const auto sandbox = request.sandbox ? request.sandbox : make_sandbox(request);
    if (!why_no_layer(request, environment).empty())
        return installed_anew(request, selection, *sandbox, environment, timer);
    const auto cache = open_cache(request);
    const Layers layers(cache);
    const auto inputs = inputs_of(request, selection.packages);
    if (const auto layer = layers.find(inputs))
        if (auto found = restored(request, layers, *layer, selection, timer)) {
            sandbox->close();
            return std::move(*found);
        }
    auto installed = installed_anew(request, selection, *sandbox, environment, timer);
    keep_layer(installed, request, layers, inputs, environment.progress);
    archive::prune(cache, {archive::Cache::default_bound(), std::nullopt});
    return installed;
}

std::string what_needs_name(const BootstrapRequest& request, const resolve::PackageSet& packages) {
    if (const auto package = package_that_needs_name(packages); !package.empty())
        return fmt::format("the scripts of {}", package);
    const auto cache = open_cache(request);
    const auto path = Layers(cache).what_needs_name(inputs_of(request, packages));
    return path.empty() ? "" : "/" + path;
}

}  // namespace vprov::pipeline
