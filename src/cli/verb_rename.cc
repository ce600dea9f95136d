#include "cli/engine.h"
#include "cli/verbs.h"

namespace vprov::cli {

void add_rename(CLI::App& app, Session& session) {
    struct Options {
        std::string name, new_name;
    };
    auto* verb = app.add_subcommand("rename", "Give a running domain another name");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("NEW_NAME", options->new_name, "Its name from now on")->required();
    verb->callback([options, &session] { open_engine(session)->rename(options->name, options->new_name); });
}

}  // namespace vprov::cli
