#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "base/error.h"
#include "cli/engine.h"
#include "cli/verbs.h"

namespace vprov::cli {
namespace {

struct ButtonOptions {
    std::vector<std::string> names;
    bool all = false, wait = false;
};

std::vector<hypervisor::DomainInfo> chosen(const hypervisor::DomainEngine& engine, const ButtonOptions& options) {
    if (options.all == !options.names.empty())
        throw error(ErrorKind::usage, "cannot tell which domains are meant: name them, or give --all");
    if (options.all) {
        auto guests = engine.list();
        std::erase_if(guests, [](const auto& domain) { return domain.is_host; });
        return guests;
    }
    std::vector<hypervisor::DomainInfo> found;
    for (const auto& name : options.names) found.push_back(engine.find(name));
    return found;
}

void wait_until_gone(const hypervisor::DomainEngine& engine, const std::string& name) {
    if (engine.wait_until_gone(name, std::chrono::minutes(1)))
        return;
    // Nothing in the guest may listen for the button: whoever waits should know what the way out is.
    fmt::print(stderr, "vprov: {} has not shut down in a minute; still waiting ('vprov destroy {}' ends it at once)\n",
               name, name);
    engine.wait_until_gone(name, std::nullopt);
}

void add_names(CLI::App* verb, ButtonOptions& options) {
    verb->add_option("NAME", options.names, "Names or ids of running domains");
    verb->add_flag("-a,--all", options.all, "All of them");
}

}  // namespace

void add_shutdown(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("shutdown", "Press a domain's power button");
    auto options = std::make_shared<ButtonOptions>();
    add_names(verb, *options);
    verb->add_flag("-w,--wait", options->wait, "Wait until the domain is gone");
    verb->callback([options, &session] {
        const auto engine = open_engine(session);
        const auto meant = chosen(*engine, *options);
        for (const auto& domain : meant) engine->shutdown(domain.name);
        if (options->wait)
            for (const auto& domain : meant) wait_until_gone(*engine, domain.name);
    });
}

void add_reboot(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("reboot", "Press a domain's power button, and start it again");
    auto options = std::make_shared<ButtonOptions>();
    add_names(verb, *options);
    verb->callback([options, &session] {
        const auto engine = open_engine(session);
        for (const auto& domain : chosen(*engine, *options)) engine->reboot(domain.name);
    });
}

}  // namespace vprov::cli
