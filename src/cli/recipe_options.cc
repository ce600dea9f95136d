#include "cli/recipe_options.h"

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/archive.h"
#include "recipe/recipe.h"

namespace vprov::cli {

void add_recipe_options(CLI::App& verb, RecipeOptions& options) {
    verb.add_option("RECIPE", options.recipes, "Recipes, vprov-recipe(5)")->required();
    add_planning_options(verb, options);
    verb.add_flag_callback(
        "--no-layers", [&options] { options.layers = pipeline::LayerUse::none; },
        "Neither use configured trees of the cache, nor keep one");
    verb.add_option("--erase", options.erase, "Give up what is on a device that the recipe names as a disk")
        ->type_name("DEVICE")
        ->allow_extra_args(false);
    verb.add_flag("--locked", options.locked, "Take the packages that RECIPE's .lock file names, and no others");
}

void add_planning_options(CLI::App& verb, RecipeOptions& options) {
    verb.add_option("-s,--set", options.overrides, "Override a key of the recipe: system.suite=trixie, disk.0.size=4G")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    verb.add_option("-o,--output", options.output, "Guests go to DIR/NAME (out)")->type_name("DIR");
    verb.add_option("--cache-dir", options.cache,
                    "Where downloads are kept ($XDG_CACHE_HOME/vprov; root: /var/cache/vprov)")
        ->type_name("DIR");
    verb.add_flag("--offline", options.offline, "Fetch nothing: what the cache holds must do");
}

void add_dialect_option(CLI::App& verb, RecipeOptions& options) {
    using hypervisor::Dialect;
    verb.add_option_function<std::string>(
            "--dialect",
            [&options](const std::string& word) { options.dialect = word == "xm" ? Dialect::xm : Dialect::xl; },
            "How NAME.cfg is spelled: xl, or xm as Xen 3 had it (xl)")
        ->check(CLI::IsMember({"xl", "xm"}))
        ->type_name("xl|xm");
}

std::unique_ptr<archive::Transport> make_transport(const RecipeOptions& options, const plan::Plan& plan) {
    if (!options.offline) {
        archive::CurlOptions transfers;
        if (const auto& file = plan.recipe.system.ca_certificates)
            transfers.ca_certificates = recipe::host_path(plan.recipe, *file);
        return archive::make_curl_transport(std::move(transfers));
    }
    return archive::make_cache_transport(options.cache.empty() ? archive::Cache::default_directory()
                                                               : std::filesystem::path(options.cache));
}

namespace {

plan::Plan plan_of(const RecipeOptions& options, const recipe::Recipe& recipe, const plan::HostFacts& facts) {
    plan::Options planning;
    planning.output = options.output;
    if (!options.cache.empty())
        planning.cache = options.cache;
    planning.host_files = options.host_files;
    planning.dialect = options.dialect;
    auto plan = plan::make_plan(recipe, facts, planning);
    for (const auto& device : options.erase) plan.erase.emplace_back(device);
    if (options.locked)
        plan.lock = plan::lock_path(recipe.file);
    return plan;
}

}  // namespace

plan::Plan plan_recipe(const RecipeOptions& options, const std::string& recipe) {
    return plan_of(options, recipe::read(recipe, options.overrides), plan::read_host_facts());
}

PlannedGuests plan_guests(const RecipeOptions& options, const std::string& recipe, pipeline::PoolUse use) {
    const auto facts = plan::read_host_facts();
    const auto read = recipe::read(recipe, options.overrides);
    PlannedGuests planned;
    auto guests = read.listed_guests;
    if (read.numbered_guests.count > 0) {
        auto reservation = pipeline::reserve(read, std::filesystem::absolute(options.output).lexically_normal(), use);
        guests = std::move(reservation.guests);
        planned.held = std::move(reservation.held);
    }
    if (guests.empty())
        planned.plans.push_back(plan_of(options, read, facts));
    for (const auto& guest : guests) {
        auto overrides = options.overrides;
        for (auto& more : recipe::overrides_for(read, guest)) overrides.push_back(std::move(more));
        planned.plans.push_back(plan_of(options, recipe::read(recipe, overrides), facts));
    }
    return planned;
}

void refuse_description(const plan::Plan& plan) {
    if (recipe::installs_nothing(plan.recipe))
        throw error(ErrorKind::usage, "cannot choose packages for {}: its [system] distribution is \"none\"",
                    quote(plan.name));
}

}  // namespace vprov::cli
