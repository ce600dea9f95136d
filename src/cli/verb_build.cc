#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/transport.h"
#include "cli/acting_as_root.h"
#include "cli/engine.h"
#include "cli/recipe_options.h"
#include "cli/verbs.h"
#include "hypervisor/guest/guest.h"
#include "os/fd.h"
#include "pipeline/build.h"

namespace vprov::cli {
namespace {

struct BuildOptions : RecipeOptions {
    bool launch = false, libvirt = false;
    unsigned login_timeout = 300;  // seconds; TCG on a loaded machine takes most of a minute
};

void refuse_running(const plan::Plan& plan) {
    if (runs_here(plan.name))
        throw error(ErrorKind::hypervisor,
                    "cannot build {}: a guest of that name is running on its disks; "
                    "end it with 'vprov shutdown {}'",
                    quote(plan.name), plan.name);
}

void refuse_same_name(const plan::Plan& plan, const std::vector<plan::Plan>& others) {
    for (const auto& other : others)
        if (other.name == plan.name)
            throw error(ErrorKind::recipe, "cannot build two guests named {}: one is in {}, another in {}",
                        quote(plan.name), quote(other.recipe.file.native()), quote(plan.recipe.file.native()));
}

bool runs_on_qemu_here(const plan::Plan& plan) {
    return plan.architecture == "amd64" || plan.architecture == "i386";
}

void refuse_foreign(const plan::Plan& plan) {
    if (!runs_on_qemu_here(plan))
        throw error(ErrorKind::usage, "cannot launch {}: guests run on qemu-system-x86_64, and it is for {}",
                    quote(plan.name), plan.architecture);
}

void launch(const plan::Plan& plan, const pipeline::BuildResult& built, const BuildOptions& options, Session& session,
            Progress& progress, pipeline::StageTimer& timer) {
    const auto engine = open_engine(session);
    timer.start(Stage::launch);
    const auto text = os::read_file(built.configuration, ErrorKind::hypervisor);
    const auto guest = hypervisor::read_xl_cfg(text, built.configuration.native()).guest;
    const auto created = engine->create(guest, {session.executable, {}, built.directory});
    for (const auto& warning : created.warnings) progress.warning(warning);
    progress.detail(fmt::format("{} runs on {}", plan.name, created.engine));
    const auto wait = engine->wait_for_login(plan.name, std::chrono::seconds(options.login_timeout),
                                             [&](std::string_view line) { progress.detail(line); });
    if (!wait.reached)
        throw error(ErrorKind::hypervisor,
                    "cannot reach {}'s login prompt: {}\nThe end of its console:\n{}\n"
                    "It is left as it is: 'vprov console {}', 'vprov destroy {}'",
                    plan.name, wait.cause, wait.last_lines, plan.name, plan.name);
    timer.finish(fmt::format("login prompt after {:.1f} s, {}", wait.seconds, created.engine));
}

std::string how_to_start(const plan::Plan& plan, const std::filesystem::path& configuration) {
    const auto file = shell_quote(configuration.native());
    if (!runs_on_qemu_here(plan))
        return fmt::format("xl create -c {}   (under Xen on {})", file, plan.architecture);
    return fmt::format("vprov create -c {}   (under Xen: xl create -c)", file);
}

void print_result(const plan::Plan& plan, const pipeline::BuildResult& built, const BuildOptions& options,
                  const Session& session) {
    if (session.output == OutputMode::json) {
        nlohmann::ordered_json event = {{"event", "finished"},
                                        {"name", plan.name},
                                        {"directory", built.directory.native()},
                                        {"configuration", built.configuration.native()}};
        if (!built.password_file.empty())
            event["password_file"] = built.password_file.native();
        fmt::print("{}\n", event.dump());
        return;
    }
    if (session.output == OutputMode::quiet)
        return;
    fmt::print("{} is in {}\n", plan.name, built.directory.native());
    if (options.launch)
        fmt::print("  {:<10} vprov console {}   (Ctrl-] leaves it)\n", "log in:", plan.name);
    else
        fmt::print("  {:<10} {}\n", "start:", how_to_start(plan, built.configuration));
    if (!built.password_file.empty())
        fmt::print("  {:<10} {}   (only you can read it)\n", "passwords:", built.password_file.native());
    if (options.launch)
        fmt::print("  {:<10} vprov shutdown {}\n", "stop:", plan.name);
}

// Only the building: guests are launched as who called.
std::vector<pipeline::BuildResult> build_as_root(const std::vector<plan::Plan>& plans, const BuildOptions& options,
                                                 Progress& progress) {
    const auto made_up = act_as_root(progress, [&] {
        std::map<std::string, std::unique_ptr<archive::Transport>> transports;  // by whom servers are certified
        const auto transport_for = [&](const plan::Plan& plan) -> archive::Transport& {
            const auto file = plan.recipe.system.ca_certificates;
            auto& transport = transports[file ? recipe::host_path(plan.recipe, *file).native() : ""];
            if (!transport)
                transport = make_transport(options, plan);
            return *transport;
        };
        os::SystemCommandRunner runner;
        const pipeline::RunEnvironment environment{transport_for, runner, progress, std::time(nullptr), options.layers};
        std::string answers;  // for each guest: whether it has a file of passwords
        for (const auto& built : pipeline::build_all(plans, environment))
            answers += built.password_file.empty() ? '-' : '+';
        return answers;
    });
    std::vector<pipeline::BuildResult> results;
    for (const auto& plan : plans) {
        const bool has_passwords = made_up.at(results.size()) == '+';
        results.push_back({plan.output,
                           plan.output / (plan.name + ".cfg"),
                           has_passwords ? plan.output / "passwords" : std::filesystem::path(),
                           {}});
    }
    return results;
}

// What only describes a domain needs no rights.
std::vector<pipeline::BuildResult> build_each(const std::vector<plan::Plan>& plans, const BuildOptions& options,
                                              Progress& progress) {
    std::vector<pipeline::BuildResult> results(plans.size());
    std::vector<plan::Plan> installed;
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i < plans.size(); ++i) {
        if (recipe::installs_nothing(plans[i].recipe)) {
            results[i] = pipeline::build_description(plans[i], progress);
            continue;
        }
        installed.push_back(plans[i]);
        numbers.push_back(i);
    }
    if (installed.empty())
        return results;
    auto built = build_as_root(installed, options, progress);
    for (std::size_t i = 0; i < built.size(); ++i) results[numbers[i]] = std::move(built[i]);
    return results;
}

void build(const BuildOptions& options, Session& session) {
    std::vector<plan::Plan> plans;  // every recipe is checked before the first is built
    std::vector<std::shared_ptr<os::TempDir>> held;
    for (const auto& recipe : options.recipes) {
        auto planned = plan_guests(options, recipe, pipeline::PoolUse::take);
        held.push_back(std::move(planned.held));
        for (auto& plan : planned.plans) {
            if (auto& libvirt = plan.recipe.domain.libvirt; options.libvirt && libvirt == recipe::Libvirt::none)
                libvirt = recipe::Libvirt::xen;
            refuse_running(plan);
            if (options.launch)
                refuse_foreign(plan);
            refuse_same_name(plan, plans);
            plans.push_back(std::move(plan));
        }
    }
    const auto progress = make_progress(session);
    const auto results = build_each(plans, options, *progress);
    for (std::size_t i = 0; i < plans.size(); ++i) {
        const auto& plan = plans[i];
        const auto& built = results[i];
        pipeline::StageTimer timer(*progress);
        if (options.launch)
            launch(plan, built, options, session, *progress, timer);
        print_result(plan, built, options, session);
    }
}

}  // namespace

void add_build(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("build", "Build guests from recipes");
    auto options = std::make_shared<BuildOptions>();
    add_recipe_options(*verb, *options);
    add_dialect_option(*verb, *options);
    verb->add_flag("--libvirt", options->libvirt,
                   "Write NAME.xml for libvirt besides, as [domain] libvirt = true does");
    verb->add_flag("-l,--launch", options->launch, "Boot the guest and wait for its login prompt");
    verb->add_option("--login-timeout", options->login_timeout, "How long to wait for it (300)")->type_name("SECONDS");
    verb->footer(
        "Leaves DIR/NAME/ with NAME.cfg, an image per disk, vmlinuz, initrd.img and manifest.json.\n"
        "Nothing is there before all of it is; an earlier build is replaced.");
    verb->callback([options, &session] { build(*options, session); });
}

}  // namespace vprov::cli
