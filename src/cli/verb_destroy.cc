#include "cli/verbs.h"
#include "hypervisor/launch/domains.h"

namespace vprov::cli {

void add_destroy(CLI::App& app, Session&) {
    auto* verb = app.add_subcommand("destroy", "End a domain at once, as by pulling the plug");
    auto names = std::make_shared<std::vector<std::string>>();
    verb->add_option("NAME", *names, "Names or ids of running domains")->required();
    verb->callback([names] {
        const auto domains = hypervisor::Domains::standard();
        for (const auto& name : *names) domains.destroy(name);
    });
}

}  // namespace vprov::cli
