#include "pipeline/build.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/error.h"
#include "base/text.h"
#include "config-render/accounts.h"
#include "config-render/added_files.h"
#include "config-render/guest_files.h"
#include "config-render/ssh_host_keys.h"
#include "os/temp_dir.h"
#include "pipeline/boot_loader.h"
#include "pipeline/configurations.h"
#include "pipeline/debconf_answers.h"
#include "pipeline/disk_images.h"
#include "pipeline/manifest.h"
#include "pipeline/sealed_tree.h"

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

fs::path write_passwords(const SealedTree& tree, const fs::path& directory) {
    if (tree.passwords().empty())
        return {};
    std::string text;
    for (const auto& [user, password] : tree.passwords()) text += fmt::format("{}: {}\n", user, password);
    os::write_file(directory / "passwords", text, 0600);
    return "passwords";
}

// Swaps an earlier build out atomically: at every instant there is one complete directory under the name.
void publish(const fs::path& finished, const fs::path& output) {
    if (::chmod(finished.c_str(), 0755) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot publish " + quote(output.native()));
    if (::renameat2(AT_FDCWD, finished.c_str(), AT_FDCWD, output.c_str(), RENAME_NOREPLACE) == 0)
        return;
    if (errno != EEXIST || ::renameat2(AT_FDCWD, finished.c_str(), AT_FDCWD, output.c_str(), RENAME_EXCHANGE) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot publish " + quote(output.native()));
}

// Before anything is fetched: packages that say themselves that they are larger than the disk cannot fit on it.
void check_room(const plan::Plan& plan, const resolve::PackageSet& packages) {
    const auto& root = plan.layout.root();
    const auto volumes = plan.layout.volumes();
    const bool holds_everything = std::all_of(volumes.begin(), volumes.end(), [](const auto* volume) {
        return volume->mount.empty() || volume->mount == "/";
    });
    if (holds_everything && root.size.value > 0 && packages.installed_size() > root.size)
        throw error(ErrorKind::disk, "cannot fit {} packages on {}: they take {} when installed, the disk has {}",
                    packages.packages.size(), quote(root.name), human(packages.installed_size()), human(root.size));
}

std::string work_prefix(const plan::Plan& plan) {
    return fmt::format(".{}-build-", plan.name);
}

os::TempDir make_work_directory(const plan::Plan& plan) {
    const auto parent = plan.output.parent_path();
    const auto prefix = work_prefix(plan);
    std::error_code failure;
    fs::create_directories(parent, failure);
    if (failure)
        throw error(ErrorKind::disk, "cannot make {}: {}", quote(parent.native()), failure.message());
    os::TempDir::remove_stale(parent, prefix);
    os::TempDir work(parent, prefix);
    for (const auto* name : {"root", "result", "scratch"}) fs::create_directory(work.path() / name);
    return work;
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

BootstrapRequest guest_request(const plan::Plan& plan) {
    auto request = bootstrap_request(plan);
    auto files = render::early_guest_files(plan);
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

BuildResult build_description(const plan::Plan& plan, Progress& progress) {
    const auto work = make_work_directory(plan);
    const auto result = work.path() / "result";
    StageTimer timer(progress);
    timer.start(Stage::render);
    const auto configurations = write_configurations(plan, result, progress);
    timer.finish(joined(configurations, ", "));
    publish(result, plan.output);
    return {plan.output, plan.output / configurations.front(), {}, timer.times()};
}

BuildResult build(const plan::Plan& plan, const Environment& environment) {
    if (recipe::installs_nothing(plan.recipe))
        return build_description(plan, environment.progress);
    if (::geteuid() != 0)
        throw error(ErrorKind::usage, "cannot build {}: packages' scripts need root", quote(plan.name));
    render::check_passwords(plan);
    if (plan.recipe.identity.ssh_host_keys)
        render::given_host_keys(plan);  // throws now rather than when all is done
    os::TempDir::remove_stale(plan.output.parent_path(), work_prefix(plan));  // even if the disks are refused
    check_disks(plan, environment.runner);
    const auto work = make_work_directory(plan);
    const auto result = work.path() / "result";
    StageTimer timer(environment.progress);

    auto request = guest_request(plan);
    request.root = work.path() / "root";
    request.work = work.path() / "scratch";
    request.script_logs = result / "log";
    request.sandbox = make_sandbox(request);
    const auto selection = select_packages(request, environment, timer);
    check_room(plan, selection.packages);
    auto configured = install(request, selection, environment, timer);

    timer.start(Stage::personalise);
    if (plan.boot.method != recipe::BootMethod::direct) {
        request.sandbox = {};
        const auto sandbox = make_sandbox(request);
        install_boot_loader(configured.root(), plan, *sandbox);
    }
    const auto tree = seal(std::move(configured), plan, selection.packages,
                           {environment.now, request.work, request.script_logs, environment.progress});
    const auto passwords = write_passwords(tree, result);
    timer.finish(plan.fqdn);

    timer.start(Stage::write);
    auto written = plan;
    written.layout = settled_layout(tree, plan);
    write_kernel(tree, plan, result);
    const auto disks = write_disks(tree, written, result, environment.runner);
    timer.finish(fmt::format("{} images", plan.layout.disks.size()));

    timer.start(Stage::render);
    const auto configurations = write_configurations(written, result, environment.progress);
    timer.finish(joined(configurations, ", "));
    os::write_file(result / "manifest.json",
                   write_manifest(written, selection, timer.times(), render::host_keys(tree.root())));

    publish(result, plan.output);
    disks->keep();
    return {plan.output, plan.output / configurations.front(), passwords.empty() ? fs::path{} : plan.output / passwords,
            timer.times()};
}

}  // namespace vprov::pipeline
