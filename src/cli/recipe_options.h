// The options that every verb on recipes has.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "pipeline/bootstrap.h"
#include "plan/plan.h"

namespace vprov::cli {

struct RecipeOptions {
    std::vector<std::string> recipes;
    std::vector<std::string> overrides;
    std::string output = "out";
    std::string cache;
    pipeline::LayerUse layers = pipeline::LayerUse::reuse;
};

void add_planning_options(CLI::App& verb, RecipeOptions& options);  // without RECIPE itself
void add_recipe_options(CLI::App& verb, RecipeOptions& options);
plan::Plan plan_recipe(const RecipeOptions& options, const std::string& recipe);

}  // namespace vprov::cli
