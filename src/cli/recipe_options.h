// The options that every verb on recipes has.
#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <vector>

#include "bootstrap/archive/transport.h"
#include "pipeline/bootstrap.h"
#include "pipeline/guest_pool.h"
#include "plan/plan.h"

namespace vprov::cli {

struct RecipeOptions {
    std::vector<std::string> recipes;
    std::vector<std::string> overrides;
    std::string output = "out";
    std::string cache;
    std::vector<std::string> erase;
    bool locked = false, offline = false;
    pipeline::LayerUse layers = pipeline::LayerUse::reuse;
    plan::HostFiles host_files = plan::HostFiles::wanted;
    hypervisor::Dialect dialect = hypervisor::Dialect::xl;
};

// Those with which a plan can be made, without RECIPE itself; and these with it, and those of a build.
void add_planning_options(CLI::App& verb, RecipeOptions& options);
void add_recipe_options(CLI::App& verb, RecipeOptions& options);
void add_dialect_option(CLI::App& verb, RecipeOptions& options);
std::unique_ptr<archive::Transport> make_transport(const RecipeOptions& options, const plan::Plan& plan);
// Throws Error(usage) for a recipe that installs nothing.
void refuse_description(const plan::Plan& plan);
plan::Plan plan_recipe(const RecipeOptions& options, const std::string& recipe);

// All guests of a recipe: one, or those that it lists. What those of a pool are given is theirs while `held` lives.
struct PlannedGuests {
    std::vector<plan::Plan> plans;
    std::shared_ptr<os::TempDir> held;
};
PlannedGuests plan_guests(const RecipeOptions& options, const std::string& recipe, pipeline::PoolUse use);

}  // namespace vprov::cli
