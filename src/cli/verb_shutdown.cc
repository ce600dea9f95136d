#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "cli/verbs.h"
#include "hypervisor/launch/domains.h"

namespace vprov::cli {

void add_shutdown(CLI::App& app, Session&) {
    struct Options {
        std::string name;
        bool wait = false;
    };
    auto* verb = app.add_subcommand("shutdown", "Press a domain's power button");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_flag("-w,--wait", options->wait, "Wait until the domain is gone");
    verb->callback([options] {
        const auto domains = hypervisor::Domains::standard();
        const auto domain = domains.find(options->name);
        domains.shutdown(domain.name);
        if (!options->wait || domains.wait_until_gone(domain.name, std::chrono::minutes(1)))
            return;
        // Nothing in the guest may listen for the button: whoever waits should know what the way out is.
        fmt::print(stderr,
                   "vprov: {} has not shut down in a minute; still waiting ('vprov destroy {}' ends it at once)\n",
                   domain.name, domain.name);
        domains.wait_until_gone(domain.name, std::nullopt);
    });
}

}  // namespace vprov::cli
