#include <fmt/format.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/transport.h"
#include "bootstrap/configure/base_system.h"
#include "cli/acting_as_root.h"
#include "cli/verbs.h"
#include "os/temp_dir.h"
#include "pipeline/build.h"
#include "plan/plan.h"
#include "recipe/recipe.h"

namespace vprov::cli {
namespace {
namespace fs = std::filesystem;

struct BootstrapOptions {
    std::string suite, target, mirror;
    std::string arch, variant = "standard", include, exclude, components, keyring, cache;
    bool updates = true;
};

std::string toml_string(std::string_view text) {
    if (text.find_first_of("'\n") != std::string_view::npos)
        throw error(ErrorKind::usage, "cannot use {}: quotes and newlines have no place here", quote(text));
    return fmt::format("'{}'", text);
}

std::string toml_list(std::string_view words) {
    std::string list;
    for (const auto word : split(words, ','))
        if (!trimmed(word).empty())
            list += toml_string(trimmed(word)) + ", ";
    return "[" + list + "]";
}

// The command line becomes a recipe, so that every value passes the same checks and the mirror the same rules.
plan::Plan plan_tree(const BootstrapOptions& o) {
    std::string text = "name = 'tree'\n[system]\n";
    text += fmt::format("suite = {}\nvariant = {}\n", toml_string(o.suite),
                        toml_string(o.variant == "-" ? "standard" : o.variant));
    for (const auto& [key, value] : {std::pair{"arch", o.arch}, {"mirror", o.mirror}, {"keyring", o.keyring}})
        if (!value.empty())
            text += fmt::format("{} = {}\n", key, toml_string(value));
    for (const auto& [key, value] :
         {std::pair{"include", o.include}, {"exclude", o.exclude}, {"components", o.components}})
        if (!value.empty())
            text += fmt::format("{} = {}\n", key, toml_list(value));
    if (!o.updates)
        text += "updates = false\nsecurity = false\n";
    text += "[system.kernel]\npackage = ''\n[[disk]]\nsize = '1G'\nfilesystem = 'ext4'\nmount = '/'\n";
    plan::Options planning;
    if (!o.cache.empty())
        planning.cache = o.cache;
    auto plan = plan::make_plan(recipe::parse(text, "the command line"), plan::read_host_facts(), planning);
    plan.include = plan.recipe.system.include;  // a tree does not have to boot
    return plan;
}

void bootstrap(const BootstrapOptions& options, const Session& session) {
    const auto target = fs::absolute(options.target).lexically_normal();
    std::error_code failure;
    if (fs::exists(target) && !fs::is_empty(target, failure))
        throw error(ErrorKind::usage, "cannot bootstrap into {}: it is not an empty directory", quote(target.native()));
    const auto plan = plan_tree(options);
    fs::create_directories(target.parent_path(), failure);
    const auto prefix = fmt::format(".{}-build-", target.filename().native());
    os::TempDir::remove_stale(target.parent_path(), prefix);
    const os::TempDir work(target.parent_path(), prefix);
    auto request = pipeline::bootstrap_request(plan);
    request.hostname = "localhost";
    request.root = work.path() / "root";
    request.work = work.path();
    fs::create_directory(request.root);
    request.sandbox = pipeline::make_sandbox(request);
    const auto progress = make_progress(session);
    const auto transport = archive::make_curl_transport();
    os::SystemCommandRunner runner;
    pipeline::StageTimer timer(*progress);
    const pipeline::Environment environment{*transport, runner, *progress, std::time(nullptr)};
    const auto selection = pipeline::select_packages(request, environment, timer);
    const auto configured = pipeline::install(request, selection, environment, timer);
    if (const auto missing = configure::missing_device_nodes(configured.root()); !missing.empty())
        progress->warning("the tree has no device files: only root can make them in a directory");
    fs::rename(request.root, target, failure);  // rename(2) replaces an empty directory
    if (failure)
        throw error(ErrorKind::disk, "cannot publish {}: {}", quote(target.native()), failure.message());
}

}  // namespace

void add_bootstrap(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("bootstrap", "Make a Debian tree in a directory");
    auto options = std::make_shared<BootstrapOptions>();
    verb->add_option("SUITE", options->suite, "bookworm, trixie, sid, ...")->required();
    verb->add_option("TARGET", options->target, "A directory: new, or empty")->required();
    verb->add_option("MIRROR", options->mirror, "Default: the host's own apt sources");
    verb->add_option("--arch", options->arch, "Architecture")->type_name("ARCH");
    verb->add_option("--variant", options->variant, "essential, minbase, buildd, standard or -")->type_name("V");
    verb->add_option("--include", options->include, "Packages to add, separated by commas")->type_name("A,B,C");
    verb->add_option("--exclude", options->exclude, "Packages that must not come in")->type_name("A,B,C");
    verb->add_option("--components", options->components, "Components of the archive")->type_name("A,B,C");
    verb->add_option("--keyring", options->keyring, "Keys that may sign the Release files")->type_name("FILE");
    verb->add_option("--cache-dir", options->cache, "Where downloads are kept")->type_name("DIR");
    verb->add_flag_callback(
        "--no-updates", [options] { options->updates = false; }, "Without SUITE-updates and SUITE-security");
    verb->callback([options, &session] {
        act_as_root(session, [&] {
            bootstrap(*options, session);
            return std::string();
        });
    });
}

}  // namespace vprov::cli
