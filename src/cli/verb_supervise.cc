#include "cli/verbs.h"
#include "hypervisor/launch/supervisor.h"

namespace vprov::cli {

void add_supervise(CLI::App& app, Session&) {
    struct Options {
        std::string state, name;
    };
    auto* verb = app.add_subcommand("supervise", "The process beside each running domain (started by create)");
    verb->group("");
    auto options = std::make_shared<Options>();
    verb->add_option("state", options->state)->required();
    verb->add_option("name", options->name)->required();
    verb->callback([options] { hypervisor::run_supervisor(options->state, options->name); });
}

}  // namespace vprov::cli
