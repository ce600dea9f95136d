#include "pipeline/hooks.h"

#include <deque>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"

namespace vprov::pipeline {
namespace {

constexpr std::size_t kKeptLines = 15;
constexpr const char* kPlace = "/var/tmp/vprov-hook";

std::vector<std::string> argv_of(const HookScript& hook) {
    if (hook.text.starts_with("#!") || hook.text.starts_with("\x7f"
                                                             "ELF"))
        return {kPlace};
    return {"/bin/sh", "-e", kPlace};
}

// The script in the tree, for as long as it runs.
class PlacedScript {
  public:
    PlacedScript(const os::RootDir& root, const HookScript& hook) : root_(root) {
        root_.write(kPlace, hook.text, 0700);
    }
    ~PlacedScript() {
        try {
            root_.remove(kPlace);
        } catch (const Error&) {  // the tree is given up
        }
    }
    PlacedScript(const PlacedScript&) = delete;
    PlacedScript& operator=(const PlacedScript&) = delete;

  private:
    const os::RootDir& root_;
};

}  // namespace

std::vector<HookScript> hook_scripts(const plan::Plan& plan, recipe::Moment stage) {
    std::vector<HookScript> scripts;
    const auto& hooks = plan.recipe.hooks;
    for (std::size_t i = 0; i < hooks.size(); ++i) {
        if (hooks[i].stage != stage)
            continue;
        auto text = hooks[i].file ? os::read_file(recipe::host_path(plan.recipe, *hooks[i].file), ErrorKind::recipe)
                                  : hooks[i].script.value_or("");
        scripts.push_back({recipe::hook_name(hooks[i], i), std::move(text)});
    }
    return scripts;
}

std::map<std::string, std::string> hook_environment(const plan::Plan& plan, recipe::Moment stage) {
    const bool at_end = stage == recipe::Moment::at_end;
    auto environment = configure::maintainer_environment();
    environment["VPROV_STAGE"] = at_end ? "customize" : "essential";
    environment["VPROV_DISTRIBUTION"] = plan.recipe.system.distribution;
    environment["VPROV_SUITE"] = plan.recipe.system.suite;
    environment["VPROV_ARCH"] = plan.architecture;
    if (at_end)
        environment.insert({{"VPROV_NAME", plan.name}, {"VPROV_HOSTNAME", plan.hostname}, {"VPROV_FQDN", plan.fqdn}});
    return environment;
}

void run_hooks(const std::vector<HookScript>& hooks, const std::map<std::string, std::string>& environment,
               configure::Sandbox& sandbox, const os::RootDir& root, ScriptLogs& logs, Progress& progress) {
    for (const auto& hook : hooks) {
        const PlacedScript script(root, hook);
        std::deque<std::string> last;
        configure::SandboxCommand command;
        command.argv = argv_of(hook);
        command.environment = environment;
        command.on_output = [&](std::string_view line) {
            logs.add("hook-" + hook.name, line);
            progress.detail(line);
            last.emplace_back(line);
            if (last.size() > kKeptLines)
                last.pop_front();
        };
        progress.detail(fmt::format("Running hook {} ...", hook.name));
        if (const int status = sandbox.run(std::move(command)); status != 0)
            throw error(ErrorKind::script, "cannot run the hook {}: it ended with exit status {}; it said{}",
                        quote(hook.name), status,
                        last.empty() ? " nothing" : ":\n  " + joined(std::vector(last.begin(), last.end()), "\n  "));
    }
}

}  // namespace vprov::pipeline
