#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <vector>

#include "base/error.h"
#include "cli/verbs.h"
#include "recipe/recipe.h"

namespace vprov::cli {
namespace {

struct CheckOptions {
    std::vector<std::string> recipes, overrides;
};

// Every recipe is looked at, also after a faulty one.
void check(const CheckOptions& options, const Session& session) {
    std::string mistakes;
    for (const auto& file : options.recipes) {
        try {
            recipe::read(file, options.overrides);
            if (session.output == OutputMode::automatic)
                std::cout << fmt::format("{}: ok\n", file);
        } catch (const Error& e) {
            if (e.kind() != ErrorKind::recipe)
                throw;
            mistakes += (mistakes.empty() ? "" : "\n") + e.message();
        }
    }
    if (!mistakes.empty())
        throw Error(ErrorKind::recipe, mistakes);
}

}  // namespace

void add_check(CLI::App& app, Session& session) {
    auto options = std::make_shared<CheckOptions>();
    auto* verb = app.add_subcommand("check", "Find every mistake in a recipe");
    verb->add_option("RECIPE", options->recipes, "Recipes, vprov-recipe(5)")->required();
    verb->add_option("-s,--set", options->overrides, "Override a key: system.suite=trixie, disk.0.size=4G")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    verb->callback([options, &session] { check(*options, session); });
}

}  // namespace vprov::cli
