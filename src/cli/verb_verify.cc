#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "cli/acting_as_root.h"
#include "cli/recipe_options.h"
#include "cli/verbs.h"
#include "pipeline/verify.h"

namespace vprov::cli {
namespace {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kDiffers = 1;

struct VerifyOptions : RecipeOptions {
    std::string image, recipe;
    std::optional<std::string> disk;
};

// DIR, where the image is in DIR/NAME: a pool of addresses is there.
fs::path output_of(const fs::path& image) {
    const auto directory = fs::is_directory(image) ? image : image.parent_path();
    return directory.parent_path();
}

// Of a recipe that lists guests the one whose directory the image is in.
plan::Plan plan_of(const VerifyOptions& options, const fs::path& image) {
    auto recipe = options.recipe;
    if (recipe.ends_with(".lock"))
        recipe.replace(recipe.size() - 5, 5, ".toml");
    auto planned = plan_guests(options, recipe, pipeline::PoolUse::look);
    if (planned.plans.size() == 1)
        return std::move(planned.plans.front());
    const auto name = (fs::is_directory(image) ? image : image.parent_path()).filename();
    for (auto& plan : planned.plans)
        if (plan.name == name)
            return std::move(plan);
    throw error(ErrorKind::usage, "cannot verify {}: {} lists {} guests, and none is named {}", quote(image.native()),
                quote(recipe), planned.plans.size(), quote(name.native()));
}

Json as_json(const pipeline::Verification& verification) {
    Json json = {{"same", verification.is_same()}, {"files", Json::array()}, {"taken", verification.taken}};
    for (const auto& [name, result] : verification.files) {
        Json file = {{"name", name}, {"same", !result.difference.has_value()}, {"compared_by_files", result.by_files}};
        if (result.difference)
            file["difference"] = {{"where", result.difference->where},
                                  {"path", result.difference->path},
                                  {"what", result.difference->what},
                                  {"text", result.difference->text()}};
        json["files"].push_back(std::move(file));
    }
    return json;
}

void print_file(const Json& file, const std::string& lock) {
    const auto name = file["name"].get<std::string>();
    if (!file["same"])
        return fmt::print("{} is not what {} gives: {}\n", name, lock, file["difference"]["text"].get<std::string>());
    const auto by_files = file["compared_by_files"].get<std::vector<std::string>>();
    fmt::print("{} is what {} gives, {}\n", name, lock,
               by_files.empty() ? "byte for byte" : "byte for byte but for " + joined(by_files, ", "));
    for (const auto& volume : by_files)
        fmt::print("  {} has the same files; its bytes tell when it was mounted to be filled\n", volume);
}

void print_result(const Json& result, const plan::Plan& plan, const fs::path& image, const Session& session) {
    const auto lock = plan.lock.filename().native();
    if (session.output == OutputMode::json) {
        Json event = {
            {"event", "verified"}, {"name", plan.name}, {"image", image.native()}, {"lock", plan.lock.native()}};
        event.update(result);
        fmt::print("{}\n", event.dump());
        return;
    }
    if (session.output == OutputMode::quiet)
        return;
    for (const auto& file : result["files"]) print_file(file, lock);
    if (const auto taken = result["taken"].get<std::vector<std::string>>(); !taken.empty())
        fmt::print("  taken over from the image, for no second build makes them again: {}\n", joined(taken, ", "));
}

fs::path scratch_directory() {
    const char* named = std::getenv("TMPDIR");
    return named && *named ? named : "/var/tmp";
}

void verify(VerifyOptions options, Session& session) {
    const auto image = fs::absolute(options.image).lexically_normal();
    options.output = output_of(image.has_filename() ? image : image.parent_path()).native();
    options.locked = true;
    const auto plan = plan_of(options, image.has_filename() ? image : image.parent_path());
    refuse_description(plan);
    const auto images = pipeline::images_of(plan, image, options.disk);
    const auto directory = fs::is_directory(image) ? std::optional(image) : std::nullopt;
    const auto progress = make_progress(session);
    const auto said = act_as_root(*progress, [&] {
        const auto transport = make_transport(options, plan);
        os::SystemCommandRunner runner;
        const pipeline::RunEnvironment environment{[&](const plan::Plan&) -> archive::Transport& { return *transport; },
                                                   runner, *progress, std::time(nullptr)};
        return as_json(pipeline::verify(plan, images, directory, scratch_directory(), environment)).dump();
    });
    const auto result = Json::parse(said);
    print_result(result, plan, image, session);
    if (!result["same"])
        session.exit_status = kDiffers;
}

}  // namespace

void add_verify(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("verify", "Build a guest once more and compare it with an image");
    auto options = std::make_shared<VerifyOptions>();
    verb->add_option("IMAGE", options->image, "An image, or the directory of a guest for all of its images")
        ->required();
    verb->add_option("RECIPE", options->recipe, "RECIPE.lock, or its RECIPE.toml")->required();
    verb->add_option("-s,--set", options->overrides, "Override a key of the recipe, as the build did")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    verb->add_option("-d,--disk", options->disk, "Which disk of the recipe IMAGE is, if its name does not tell")
        ->type_name("NAME");
    verb->add_option("--cache-dir", options->cache,
                     "Where downloads are kept ($XDG_CACHE_HOME/vprov; root: /var/cache/vprov)")
        ->type_name("DIR");
    verb->add_flag("--offline", options->offline, "Fetch nothing: what the cache holds must do");
    verb->footer("The exit status is 0 if they are the same, and 1 if not: the first path that differs is named.");
    verb->callback([options, &session] { verify(*options, session); });
}

}  // namespace vprov::cli
