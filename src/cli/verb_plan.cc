#include <fmt/format.h>

#include <ctime>

#include "base/text.h"
#include "bootstrap/archive/transport.h"
#include "cli/recipe_options.h"
#include "cli/verbs.h"
#include "config-render/guest_files.h"
#include "hypervisor/guest/guest.h"
#include "pipeline/build.h"
#include "plan/describe.h"

namespace vprov::cli {
namespace {

void print_packages(const resolve::PackageSet& set) {
    fmt::print("\nPackages: {}, {} to download, {} installed\n", set.packages.size(), human(set.download_size()),
               human(set.installed_size()));
    for (const auto& selected : set.packages)
        fmt::print("  {:<36} {:<32} {:>9}{}\n", selected.package->name, selected.package->version,
                   human(selected.package->size), selected.automatic ? "" : "  *");
    fmt::print("  (* asked for; the others are needed by them)\n");
}

void print_file(std::string_view path, std::string_view content) {
    fmt::print("\n  {}\n", path);
    while (!content.empty() && content.back() == '\n') content.remove_suffix(1);
    if (content.empty())
        return;
    for (const auto line : split(content, '\n')) fmt::print("    | {}\n", line);
}

void print_guest_files(const plan::Plan& plan, const resolve::PackageSet& set) {
    fmt::print("\nFiles in the guest\n");
    render::PackageNames names;
    for (const auto& selected : set.packages) names.emplace(selected.package->name);
    auto files = render::early_guest_files(plan);
    for (auto& file : render::late_guest_files(plan, names)) files.push_back(std::move(file));
    for (const auto& file : files) {
        if (file.is_link)
            fmt::print("\n  {} -> {}\n", file.path, file.content);
        else
            print_file(file.path, file.secret ? "(secret)" : file.content);
    }
}

}  // namespace

void add_plan(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("plan", "Print what a build would do, and do nothing");
    auto options = std::make_shared<RecipeOptions>();
    add_recipe_options(*verb, *options);
    verb->footer("The package lists are fetched and verified, into the cache. Nothing else is written.");
    verb->callback([options, &session] {
        const auto progress = make_progress(session);
        const auto transport = archive::make_curl_transport();
        os::SystemCommandRunner runner;
        for (const auto& recipe : options->recipes) {
            const auto plan = plan_recipe(*options, recipe);
            pipeline::StageTimer timer(*progress);
            const pipeline::Environment environment{*transport, runner, *progress, std::time(nullptr)};
            const auto selection = pipeline::select_packages(pipeline::bootstrap_request(plan), environment, timer);
            fmt::print("{}", plan::describe(plan));
            print_packages(selection.packages);
            print_guest_files(plan, selection.packages);
            fmt::print("\nFiles in {}\n", plan.output.native());
            print_file(plan.name + ".cfg", hypervisor::write_xl_cfg(plan::guest_of(plan)));
        }
    });
}

}  // namespace vprov::cli
