#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "base/error.h"
#include "cli/verbs.h"
#include "hypervisor/launch/domains.h"

namespace vprov::cli {
namespace {

struct ButtonOptions {
    std::vector<std::string> names;
    bool all = false, wait = false;
};

std::vector<hypervisor::DomainInfo> chosen(const hypervisor::Domains& domains, const ButtonOptions& options) {
    if (options.all == !options.names.empty())
        throw error(ErrorKind::usage, "cannot tell which domains are meant: name them, or give --all");
    if (options.all)
        return domains.list();
    std::vector<hypervisor::DomainInfo> found;
    for (const auto& name : options.names) found.push_back(domains.find(name));
    return found;
}

void wait_until_gone(const hypervisor::Domains& domains, const std::string& name) {
    if (domains.wait_until_gone(name, std::chrono::minutes(1)))
        return;
    // Nothing in the guest may listen for the button: whoever waits should know what the way out is.
    fmt::print(stderr, "vprov: {} has not shut down in a minute; still waiting ('vprov destroy {}' ends it at once)\n",
               name, name);
    domains.wait_until_gone(name, std::nullopt);
}

void add_names(CLI::App* verb, ButtonOptions& options) {
    verb->add_option("NAME", options.names, "Names or ids of running domains");
    verb->add_flag("-a,--all", options.all, "All of them");
}

}  // namespace

void add_shutdown(CLI::App& app, Session&) {
    auto* verb = app.add_subcommand("shutdown", "Press a domain's power button");
    auto options = std::make_shared<ButtonOptions>();
    add_names(verb, *options);
    verb->add_flag("-w,--wait", options->wait, "Wait until the domain is gone");
    verb->callback([options] {
        const auto domains = hypervisor::Domains::standard();
        const auto meant = chosen(domains, *options);
        for (const auto& domain : meant) domains.shutdown(domain.name);
        if (options->wait)
            for (const auto& domain : meant) wait_until_gone(domains, domain.name);
    });
}

void add_reboot(CLI::App& app, Session&) {
    auto* verb = app.add_subcommand("reboot", "Press a domain's power button, and start it again");
    auto options = std::make_shared<ButtonOptions>();
    add_names(verb, *options);
    verb->callback([options] {
        const auto domains = hypervisor::Domains::standard();
        for (const auto& domain : chosen(domains, *options)) domains.reboot(domain.name);
    });
}

}  // namespace vprov::cli
