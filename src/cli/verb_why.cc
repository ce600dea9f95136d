#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "bootstrap/archive/transport.h"
#include "bootstrap/deb/package_wish.h"
#include "bootstrap/resolve/why.h"
#include "cli/recipe_options.h"
#include "cli/verbs.h"
#include "pipeline/guest_tree.h"

namespace vprov::cli {
namespace {

constexpr int kNotInstalled = 1;

struct WhyOptions {
    RecipeOptions recipe;
    std::string file, package;
};

void print_answer(const resolve::Why& answer, const std::string& package, const Session& session) {
    if (session.output == OutputMode::json) {
        const nlohmann::ordered_json event = {{"event", "why"},
                                              {"package", package},
                                              {"installed", answer.in_set},
                                              {"verdict", answer.verdict},
                                              {"steps", answer.steps}};
        fmt::print("{}\n", event.dump());
        return;
    }
    fmt::print("{}:\n", answer.verdict);
    for (const auto& step : answer.steps) fmt::print("  {}\n", step);
}

void explain(const WhyOptions& options, Session& session) {
    const auto plan = plan_recipe(options.recipe, options.file);
    refuse_description(plan);
    const auto progress = make_progress(session);
    const auto transport = make_transport(options.recipe, plan);
    os::SystemCommandRunner runner;
    pipeline::StageTimer timer(*progress);
    const pipeline::Environment environment{*transport, runner, *progress, std::time(nullptr)};
    const auto request = pipeline::bootstrap_request(plan);
    const auto selection = pipeline::select_packages(request, environment, timer);
    const auto answer = resolve::why(selection.index, request.packages, selection.packages, plan.recipe.system.include,
                                     options.package);
    print_answer(answer, options.package, session);
    session.exit_status = answer.in_set ? 0 : kNotInstalled;
}

}  // namespace

void add_why(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("why", "Say why a package is installed, or is not");
    auto options = std::make_shared<WhyOptions>();
    verb->add_option("RECIPE", options->file, "A recipe, vprov-recipe(5)")->required();
    verb->add_option("PACKAGE", options->package, "The package's name")->required();
    add_planning_options(*verb, options->recipe);
    verb->add_flag("--locked", options->recipe.locked, "Take the packages that RECIPE's .lock file names");
    verb->footer("The package lists are fetched and verified, into the cache. Nothing else is written.");
    verb->callback([options, &session] { explain(*options, session); });
}

}  // namespace vprov::cli
