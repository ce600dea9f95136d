#include <cstdio>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "cli/console_session.h"
#include "cli/verbs.h"
#include "hypervisor/launch/domains.h"
#include "os/fd.h"

namespace vprov::cli {
namespace fs = std::filesystem;
namespace {

struct CreateVerb {
    std::string domain, output = "out";
    hypervisor::EngineChoice engine = hypervisor::EngineChoice::automatic;
    bool console = false;
};

// A path as it stands, or the configuration of a NAME that was built or installed.
fs::path find_configuration(const CreateVerb& options) {
    const fs::path given = options.domain;
    if (options.domain.find('/') != std::string::npos || given.extension() == ".cfg" || fs::is_regular_file(given))
        return given;
    const auto built = fs::path(options.output) / options.domain / (options.domain + ".cfg");
    const auto installed = fs::path("/etc/vprov") / (options.domain + ".cfg");
    for (const auto& path : {built, installed})
        if (fs::exists(path))
            return path;
    throw error(ErrorKind::hypervisor, "cannot find a configuration for {}: neither {} nor {} exists",
                quote(options.domain), quote(built.native()), quote(installed.native()));
}

void run_create(const CreateVerb& options, const Session& session) {
    const auto path = find_configuration(options);
    const auto read = hypervisor::read_xl_cfg(os::read_file(path, ErrorKind::hypervisor), path.native());
    const auto warn = [](const std::string& text) {
        std::fputs(fmt::format("vprov: warning: {}\n", text).c_str(), stderr);
    };
    for (const auto& warning : read.warnings) warn(warning);
    const auto domains = hypervisor::Domains::standard();
    const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    const auto created = domains.create(read.guest, {session.executable, options.engine, folder});
    for (const auto& warning : created.warnings) warn(warning);
    if (session.output != OutputMode::quiet) {
        const auto line = fmt::format("{0}: running ({1}), console: vprov console {0}\n", created.name, created.engine);
        std::fputs(line.c_str(), options.console ? stderr : stdout);
    }
    if (options.console)
        run_console(domains, created.name, Replay::all);
}

}  // namespace

void add_create(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("create", "Start a domain from its xl configuration");
    auto options = std::make_shared<CreateVerb>();
    verb->add_option("NAME|CFG", options->domain,
                     "A configuration file, or the name of a domain built under --output or kept in /etc/vprov")
        ->required();
    verb->add_flag("-c,--console", options->console, "Attach to the console from the first line on");
    verb->add_option("--output", options->output, "Where built domains are")->type_name("DIR")->capture_default_str();
    const std::map<std::string, hypervisor::EngineChoice> engines = {{"auto", hypervisor::EngineChoice::automatic},
                                                                     {"kvm", hypervisor::EngineChoice::kvm},
                                                                     {"tcg", hypervisor::EngineChoice::tcg}};
    verb->add_option("--accel", options->engine, "auto, kvm or tcg")
        ->transform(CLI::Transformer(engines).description(""))
        ->type_name("ENGINE");
    verb->callback([options, &session] { run_create(*options, session); });
}

}  // namespace vprov::cli
