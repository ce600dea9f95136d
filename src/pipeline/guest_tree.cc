#include "pipeline/guest_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/digest.h"
#include "config-render/added_files.h"
#include "config-render/guest_files.h"
#include "os/fd.h"
#include "os/temp_dir.h"
#include "pipeline/debconf_answers.h"
#include "pipeline/guest_name.h"
#include "pipeline/hooks.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

resolve::Variant variant_of(recipe::Variant variant) {
    switch (variant) {
        case recipe::Variant::essential:
            return resolve::Variant::essential;
        case recipe::Variant::minbase:
            return resolve::Variant::minbase;
        case recipe::Variant::buildd:
            return resolve::Variant::buildd;
        case recipe::Variant::standard:
            break;
    }
    return resolve::Variant::standard;
}

// What an earlier attempt has left in them goes.
BootstrapRequest begun_anew(const BootstrapRequest& before, BootstrapRequest request) {
    before.sandbox->close();
    for (const auto& entry : fs::directory_iterator(before.root)) os::remove_tree(entry.path());
    for (const auto& entry : fs::directory_iterator(before.work)) os::remove_tree(entry.path());
    os::remove_tree(before.script_logs);
    request.root = before.root;
    request.work = before.work;
    request.script_logs = before.script_logs;
    request.sandbox = make_sandbox(request);
    return request;
}

}  // namespace

BootstrapRequest bootstrap_request(const plan::Plan& plan) {
    BootstrapRequest request;
    for (const auto& r : plan.repositories)
        request.repositories.push_back({r.uri, r.suite, r.components, r.signed_by, r.trusted, r.check_valid_until,
                                        r.allow_weak_digests, r.embedded_key, r.architectures});
    request.architecture = plan.architecture;
    request.foreign_architectures = plan.recipe.system.foreign_architectures;
    const auto& system = plan.recipe.system;
    request.packages = {variant_of(system.variant), plan.include, system.exclude, system.recommends};
    request.cache = plan.cache;
    request.lock = plan.lock;
    request.hostname = plan.hostname;
    std::vector<fs::path> debs;
    for (const auto& deb : system.debs) debs.push_back(recipe::host_path(plan.recipe, deb));
    request.debs = read_local_debs(debs, plan.architecture);
    request.network = system.scripts_network ? configure::Network::host : configure::Network::none;
    return request;
}

BootstrapRequest guest_request(const plan::Plan& plan, std::string_view seen) {
    auto request = bootstrap_request(plan);
    request.hostname = seen;
    request.dates = Dates::of_packages;
    auto files = render::early_guest_files(plan);
    files.insert(files.begin(), {"/etc/hostname", fmt::format("{}\n", seen)});
    request.prepared.emplace();
    for (const auto& file : files)
        request.prepared->push_back(
            fmt::format("{} {} {:o} {:o} {}", file.path, file.is_link ? "link" : "file", file.mode, file.directory_mode,
                        sha256(file.source.empty() ? file.content : os::read_file(file.source)).hex()));
    std::ranges::move(render::added_before_scripts(plan), std::back_inserter(*request.prepared));
    request.prepare = [files = std::move(files), plan](const os::RootDir& root) {
        render::write_guest_files(root, files);
        render::write_added(root, plan, recipe::Moment::before_scripts);
    };
    request.debconf = debconf_answers(plan);
    request.hooks = hook_scripts(plan, recipe::Moment::before_scripts);
    request.hook_environment = hook_environment(plan, recipe::Moment::before_scripts);
    return request;
}

BootstrapRequest guest_request(const plan::Plan& plan, const resolve::PackageSet& packages) {
    auto request = guest_request(plan, kUnnamedGuest);
    return what_needs_name(request, packages).empty() ? request : guest_request(plan, plan.hostname);
}

Installed install_guest(const BootstrapRequest& request, const plan::Plan& plan, const Selection& selection,
                        const Environment& environment, StageTimer& timer) {
    if (!what_needs_name(request, selection.packages).empty())
        return install(begun_anew(request, guest_request(plan, plan.hostname)), selection, environment, timer);
    auto installed = install(request, selection, environment, timer);
    if (installed.needs_name.empty())
        return installed;
    environment.progress.detail(
        fmt::format("scripts have put the host name into /{}: once more, with the guest's own", installed.needs_name));
    return install(begun_anew(request, guest_request(plan, plan.hostname)), selection, environment, timer);
}

}  // namespace vprov::pipeline
