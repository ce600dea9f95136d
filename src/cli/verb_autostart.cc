#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/autostart_saves.h"
#include "cli/configurations.h"
#include "cli/engine.h"
#include "cli/verbs.h"
#include "hypervisor/launch/autostart.h"
#include "os/command.h"
#include "os/fd.h"

namespace vprov::cli {
namespace fs = std::filesystem;
namespace {

using hypervisor::Autostart;

struct AutostartOptions {
    std::string name, output = "out", save;
    unsigned order = Autostart::kUsualOrder;
    unsigned seconds = 90;
};

bool has_systemd() {
    return fs::is_directory("/run/systemd/system") && os::program_exists("systemctl");
}

void run_systemctl(std::vector<std::string> words) {
    words.insert(words.begin(), "systemctl");
    os::SystemCommandRunner runner;
    const os::Command command{std::move(words), os::clean_environment(), ""};
    if (const auto result = runner.run(command); !result.ok())
        throw error(ErrorKind::hypervisor, "cannot ask systemd: {}", os::describe_failure(command, result));
}

void enable(const AutostartOptions& options) {
    const auto path = find_configuration(options.name, options.output);
    const auto text = os::read_file(path, ErrorKind::hypervisor);
    const auto name = hypervisor::read_xl_cfg(text, path.native()).guest.name;
    Autostart().enable(name, path, options.order);
    if (has_systemd() && ::geteuid() == 0)
        run_systemctl({"enable", "--quiet", "vprov-autostart.service"});
}

void disable(const AutostartOptions& options) {
    if (!Autostart().disable(options.name))
        throw error(ErrorKind::hypervisor, "cannot disable {}: it does not start with the host", quote(options.name));
}

void list(const Session& session) {
    const auto entries = Autostart().entries();
    if (session.output == OutputMode::json) {
        auto array = nlohmann::ordered_json::array();
        for (const auto& entry : entries)
            array.push_back(
                {{"order", entry.order}, {"name", entry.name}, {"configuration", entry.configuration.native()}});
        fmt::print("{}\n", array.dump(2));
        return;
    }
    for (const auto& entry : entries)
        fmt::print("{:2}  {:<30}  {}\n", entry.order, entry.name.empty() ? "(cannot be read)" : entry.name,
                   entry.configuration.native());
}

void start_one(const Autostart::Entry& entry, const AutostartSaves& saves, const Session& session) {
    const auto text = os::read_file(entry.configuration, ErrorKind::hypervisor);
    const auto guest = hypervisor::read_xl_cfg(text, entry.configuration.native()).guest;
    const auto engine = open_engine(session);
    if (engine->is_running(guest.name) || saves.restore(guest.name))
        return;
    // A service of its own, so that the guest outlives the one that starts it; there it is found by its name.
    const auto kept = hypervisor::configuration_directory() / (guest.name + ".cfg");
    std::error_code none;
    if (has_systemd() && fs::equivalent(kept, entry.configuration, none)) {
        run_systemctl({"start", fmt::format("vprov@{}.service", guest.name)});
        return;
    }
    const auto created = engine->create(
        guest, {session.executable, hypervisor::EngineChoice::automatic, entry.configuration.parent_path()});
    for (const auto& warning : created.warnings) fmt::print(stderr, "vprov: warning: {}: {}\n", guest.name, warning);
}

void start(const AutostartOptions& options, Session& session) {
    const AutostartSaves saves(options.save, session);
    for (const auto& entry : Autostart().entries()) {
        try {
            start_one(entry, saves, session);
        } catch (const Error& e) {
            if (e.kind() == ErrorKind::interrupted)
                throw;
            fmt::print(stderr, "vprov: {}\n", e.message());  // the others shall start all the same
            session.exit_status = 8;
        }
    }
}

void stop(const AutostartOptions& options, const Session& session) {
    const auto engine = open_engine(session);
    const AutostartSaves saves(options.save, session);
    auto entries = Autostart().entries();
    std::reverse(entries.begin(), entries.end());
    for (const auto& entry : entries) {
        if (entry.name.empty() || !engine->is_running(entry.name) || saves.save(entry.name))
            continue;
        try {
            engine->shutdown(entry.name);
            if (engine->wait_until_gone(entry.name, std::chrono::seconds(options.seconds)))
                continue;
            fmt::print(stderr, "vprov: {} has not shut down in {} s: it is ended\n", entry.name, options.seconds);
        } catch (const Error& e) {
            if (e.kind() == ErrorKind::interrupted)
                throw;
            fmt::print(stderr, "vprov: {}\n", e.message());
        }
        engine->destroy(entry.name);
    }
}

}  // namespace

void add_autostart(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("autostart", "Choose the domains that start with the host");
    verb->require_subcommand(1);
    auto options = std::make_shared<AutostartOptions>();
    auto* enabling = verb->add_subcommand("enable", "Start a domain with the host");
    enabling->add_option("NAME|CFG", options->name, "A configuration, or the name of one")->required();
    enabling->add_option("--order", options->order, "Lower ones start earlier, and stop later")
        ->type_name("NN")
        ->check(CLI::Range(0U, Autostart::kLastOrder))
        ->capture_default_str();
    enabling->add_option("--output", options->output, "Where built domains are")
        ->type_name("DIR")
        ->capture_default_str();
    enabling->callback([options] { enable(*options); });
    auto* disabling = verb->add_subcommand("disable", "Do not start it any more");
    disabling->add_option("NAME", options->name, "The domain's name")->required();
    disabling->callback([options] { disable(*options); });
    verb->add_subcommand("list", "Print them in their order")->callback([&session] { list(session); });
    auto* starting = verb->add_subcommand("start", "Start those that do not run");
    starting->callback([options, &session] { start(*options, session); });
    auto* stopping = verb->add_subcommand("stop", "Shut them down or save them, the last first");
    stopping->add_option("--timeout", options->seconds, "End one that takes longer")
        ->type_name("SECONDS")
        ->capture_default_str();
    for (auto [part, what] : {std::pair(starting, "Restore those that were saved to DIR"),
                              std::pair(stopping, "Save them to DIR instead of shutting them down")})
        part->add_option("--save", options->save, what)->type_name("DIR")->envname("VPROV_AUTOSTART_SAVE");
    stopping->callback([options, &session] { stop(*options, session); });
}

}  // namespace vprov::cli
