#include <cstdio>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "cli/configurations.h"
#include "cli/console_session.h"
#include "cli/engine.h"
#include "cli/service_manager.h"
#include "cli/verbs.h"
#include "hypervisor/guest/cfg_string.h"
#include "os/fd.h"
#include "os/interrupt.h"

namespace vprov::cli {
namespace fs = std::filesystem;
namespace {

struct CreateVerb {
    std::string domain, output = "out";
    std::vector<std::string> settings;
    hypervisor::EngineChoice engine = hypervisor::EngineChoice::automatic;
    bool console = false, paused = false, foreground = false, no_sandbox = false;
};

// A setting of the command line as a line of the configuration: what is neither quoted, nor a list, nor a number, is
// meant as a string.
std::string configuration_line(const std::string& setting) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
        throw error(ErrorKind::usage, "cannot use {}: settings are KEY=VALUE", quote(setting));
    const auto key = setting.substr(0, equals);
    const auto value = std::string(trimmed(std::string_view(setting).substr(equals + 1)));
    const bool is_written_out =
        !value.empty() && (value.front() == '"' || value.front() == '\'' || value.front() == '[' ||
                           (value.front() >= '0' && value.front() <= '9' &&
                            value.find_first_not_of("0123456789abcdefx") == std::string::npos));
    return fmt::format("{}={}\n", key, is_written_out ? value : hypervisor::cfg_string(key, value));
}

hypervisor::ReadGuest read_configuration(const fs::path& path, const CreateVerb& options) {
    auto text = os::read_file(path, ErrorKind::hypervisor);
    if (!options.settings.empty())
        text += "\n";
    for (const auto& setting : options.settings) text += configuration_line(setting);
    return hypervisor::read_xl_cfg(text, path.native());
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

void run_create(const CreateVerb& options, const Session& session) {
    const auto path = find_configuration(options.domain, options.output);
    const auto read = read_configuration(path, options);
    const auto warn = [](const std::string& text) {
        std::fputs(fmt::format("vprov: warning: {}\n", text).c_str(), stderr);
    };
    for (const auto& warning : read.warnings) warn(warning);
    const auto engine = open_engine(session);
    const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    hypervisor::CreateOptions how{session.executable, options.engine, folder, options.paused};
    how.sandbox = !options.no_sandbox;
    const auto created = engine->create(read.guest, how);
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
    verb->add_flag("-p,--paused", options->paused, "Do not let it begin; 'vprov unpause' does");
    verb->add_flag("-F,--foreground", options->foreground, "Return when the domain has ended; a signal shuts it down");
    verb->add_flag("-c,--console", options->console, "Attach to the console from the first line on");
    verb->add_option("--output", options->output, "Where built domains are")->type_name("DIR")->capture_default_str();
    const std::map<std::string, hypervisor::EngineChoice> engines = {{"auto", hypervisor::EngineChoice::automatic},
                                                                     {"kvm", hypervisor::EngineChoice::kvm},
                                                                     {"tcg", hypervisor::EngineChoice::tcg}};
    verb->add_option("--accel", options->engine, "auto, kvm or tcg")
        ->transform(CLI::Transformer(engines).description(""))
        ->type_name("ENGINE");
    verb->add_flag("--no-sandbox", options->no_sandbox,
                   "For debugging QEMU: run it as this user, and forbid it nothing");
    verb->callback([options, &session] { run_create(*options, session); });
}

}  // namespace vprov::cli
