#include "cli/verbs.h"
#include "hypervisor/launch/domains.h"

namespace vprov::cli {

void add_destroy(CLI::App& app, Session&) {
    auto* verb = app.add_subcommand("destroy", "End a domain at once, as by pulling the plug");
    auto name = std::make_shared<std::string>();
    verb->add_option("NAME", *name, "Name or id of a running domain")->required();
    verb->callback([name] { hypervisor::Domains::standard().destroy(*name); });
}

}  // namespace vprov::cli
