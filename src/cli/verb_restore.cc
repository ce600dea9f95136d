#include <fmt/format.h>

#include <cstdio>

#include "cli/console_session.h"
#include "cli/verbs.h"
#include "hypervisor/save/save.h"

namespace vprov::cli {
namespace {

struct RestoreVerb {
    std::string file;
    bool console = false, paused = false, force = false;
};

void run_restore(const RestoreVerb& verb, const Session& session) {
    const auto domains = hypervisor::Domains::standard();
    const auto created = hypervisor::restore_domain(domains, verb.file, {session.executable, verb.paused, verb.force});
    for (const auto& warning : created.warnings) fmt::print(stderr, "vprov: warning: {}\n", warning);
    if (session.output != OutputMode::quiet)
        fmt::print(verb.console ? stderr : stdout, "{0}: {1} ({2}), console: vprov console {0}\n", created.name,
                   verb.paused ? "restored, paused" : "running", created.engine);
    if (verb.console)
        run_console(domains, created.name, Replay::all);
}

}  // namespace

void add_restore(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("restore", "Let a saved domain go on");
    auto options = std::make_shared<RestoreVerb>();
    verb->add_option("FILE", options->file, "What 'vprov save' has written; it stays")->required();
    verb->add_flag("-c,--console", options->console, "Attach to the console");
    verb->add_flag("-p,--paused", options->paused, "Do not let it run yet: vprov unpause NAME does");
    verb->add_flag("--force", options->force, "Also with disks that have changed since");
    verb->callback([options, &session] { run_restore(*options, session); });
}

}  // namespace vprov::cli
