#include <cstdio>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "cli/clone_from_template.h"
#include "cli/configurations.h"
#include "cli/console_session.h"
#include "cli/engine.h"
#include "cli/service_manager.h"
#include "cli/verbs.h"
#include "os/fd.h"
#include "os/interrupt.h"

namespace vprov::cli {
namespace fs = std::filesystem;
namespace {

struct CreateVerb {
    std::string domain, output = "out";
    CloneVerb clone;
    std::vector<std::string> settings;
    hypervisor::EngineChoice engine = hypervisor::EngineChoice::automatic;
    bool console = false, paused = false, foreground = false, no_sandbox = false;
};

hypervisor::ReadGuest read_configuration(const fs::path& path, const CreateVerb& options) {
    const auto text = os::read_file(path, ErrorKind::hypervisor);
    return hypervisor::read_xl_cfg(with_settings(text, options.settings), path.native());
}

// Until the domain has ended. A signal presses its power button, a second one leaves it alone.
void stay(const hypervisor::DomainEngine& engine, const std::string& name) {
    tell_service_manager("READY=1");
    try {
        engine.wait_until_gone(name, std::nullopt);
    } catch (const Error& e) {
        if (e.kind() != ErrorKind::interrupted)
            throw;
        tell_service_manager("STOPPING=1");
        os::forget_stop();
        engine.shutdown(name);
        engine.wait_until_gone(name, std::nullopt);
    }
}

void warn(const std::string& text) {
    std::fputs(fmt::format("vprov: warning: {}\n", text).c_str(), stderr);
}

hypervisor::CreatedDomain create_from_configuration(const CreateVerb& options, const Session& session,
                                                    const hypervisor::DomainEngine& engine) {
    const auto path = find_configuration(options.domain, options.output);
    const auto read = read_configuration(path, options);
    for (const auto& warning : read.warnings) warn(warning);
    const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    hypervisor::CreateOptions how{session.executable, options.engine, folder, options.paused};
    how.sandbox = !options.no_sandbox;
    return engine.create(read.guest, how);
}

void run_create(const CreateVerb& options, const Session& session) {
    const auto engine = open_engine(session);
    const auto created =
        options.clone.directory.empty()
            ? create_from_configuration(options, session, *engine)
            : create_from_template(options.domain, options.output, options.settings, options.clone, session);
    for (const auto& warning : created.warnings) warn(warning);
    if (session.output != OutputMode::quiet) {
        const auto line = fmt::format("{0}: running ({1}), console: vprov console {0}\n", created.name, created.engine);
        std::fputs(line.c_str(), options.console ? stderr : stdout);
        std::fflush(stdout);
    }
    if (options.console)
        run_console(*engine, created.name, Replay::all);
    if (options.foreground)
        stay(*engine, created.name);
}

}  // namespace

void add_create(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("create", "Start a domain from its xl configuration");
    auto options = std::make_shared<CreateVerb>();
    verb->add_option("NAME|CFG", options->domain,
                     "A configuration file, or the name of a domain built under --output or kept in /etc/vprov")
        ->required();
    verb->add_option("KEY=VALUE", options->settings, "Instead of what the configuration says, or besides");
    auto* paused = verb->add_flag("-p,--paused", options->paused, "Do not let it begin; 'vprov unpause' does");
    verb->add_flag("-F,--foreground", options->foreground, "Return when the domain has ended; a signal shuts it down");
    verb->add_flag("-c,--console", options->console, "Attach to the console from the first line on");
    verb->add_option("--output", options->output, "Where built domains are")->type_name("DIR")->capture_default_str();
    const std::map<std::string, hypervisor::EngineChoice> engines = {{"auto", hypervisor::EngineChoice::automatic},
                                                                     {"kvm", hypervisor::EngineChoice::kvm},
                                                                     {"tcg", hypervisor::EngineChoice::tcg}};
    auto* accel = verb->add_option("--accel", options->engine, "auto, kvm or tcg")
                      ->transform(CLI::Transformer(engines).description(""))
                      ->type_name("ENGINE");
    verb->add_flag("--no-sandbox", options->no_sandbox,
                   "For debugging QEMU: run it as this user, and forbid it nothing");
    auto* from = verb->add_option("--from", options->clone.directory,
                                  "A clone of this template instead, as domain NAME, with its files under --output")
                     ->type_name("TEMPLATE");
    verb->add_option("--hostname", options->clone.hostname, "The clone's, instead of NAME")->needs(from);
    verb->add_option("--address", options->clone.address, "Of the clone's first card, with its prefix: 192.0.2.7/24")
        ->needs(from);
    verb->add_option("--gateway", options->clone.gateway, "Besides --address")->needs(from);
    verb->add_flag("--wait-network", options->clone.waits_for_network,
                   "Return when the clone's first card has an address")
        ->needs(from);
    from->excludes(paused, accel);
    verb->callback([options, &session] { run_create(*options, session); });
}

}  // namespace vprov::cli
