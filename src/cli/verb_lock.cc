#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/recipe_options.h"
#include "cli/verbs.h"
#include "os/fd.h"
#include "os/temp_dir.h"
#include "pipeline/guest_tree.h"
#include "pipeline/lock_file.h"

namespace vprov::cli {
namespace {

// What an earlier lock had, for the summary; one that cannot be read is as good as none.
pipeline::LockFile earlier_lock(const std::filesystem::path& path) {
    std::error_code none;
    if (!std::filesystem::exists(path, none))
        return {};
    try {
        return pipeline::read_lock(os::read_file(path), path.native());
    } catch (const Error&) {
        return {};
    }
}

void print_result(const std::filesystem::path& path, const pipeline::LockFile& before, const pipeline::LockFile& after,
                  const Session& session) {
    const auto changes = before.packages.empty() ? std::vector<std::string>{} : pipeline::changes(before, after);
    if (session.output == OutputMode::json) {
        const nlohmann::ordered_json event = {
            {"event", "locked"}, {"lock", path.native()}, {"packages", after.packages.size()}, {"changes", changes}};
        fmt::print("{}\n", event.dump());
        return;
    }
    if (session.output == OutputMode::quiet)
        return;
    fmt::print("{} has {} packages\n", path.native(), after.packages.size());
    for (const auto& change : changes) fmt::print("  {}\n", change);
}

void lock(const RecipeOptions& options, const std::string& recipe, Session& session) {
    const auto plan = plan_recipe(options, recipe);
    refuse_description(plan);
    const auto path = plan::lock_path(recipe);
    const auto progress = make_progress(session);
    const auto transport = make_transport(options, plan);
    os::SystemCommandRunner runner;
    pipeline::StageTimer timer(*progress);
    const pipeline::Environment environment{*transport, runner, *progress, std::time(nullptr)};
    const auto request = pipeline::bootstrap_request(plan);
    const auto text = pipeline::write_lock(request, pipeline::select_packages(request, environment, timer));
    const auto locked = pipeline::read_lock(text, path.native());  // read back before anybody relies on it
    const auto before = earlier_lock(path);
    os::write_file(path, text);
    print_result(path, before, locked, session);
}

}  // namespace

void add_lock(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("lock", "Write down which packages a build takes, for build --locked");
    auto options = std::make_shared<RecipeOptions>();
    verb->add_option("RECIPE", options->recipes, "Recipes, vprov-recipe(5)")->required();
    add_planning_options(*verb, *options);
    verb->footer("RECIPE.toml is locked by RECIPE.lock beside it. Nothing else is written but the cache.");
    verb->callback([options, &session] {
        for (const auto& recipe : options->recipes) lock(*options, recipe, session);
    });
}

}  // namespace vprov::cli
