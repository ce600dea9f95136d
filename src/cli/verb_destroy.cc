#include "cli/engine.h"
#include "cli/verbs.h"

namespace vprov::cli {

void add_destroy(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("destroy", "End a domain at once, as by pulling the plug");
    auto names = std::make_shared<std::vector<std::string>>();
    verb->add_option("NAME", *names, "Names or ids of running domains")->required();
    verb->callback([names, &session] {
        const auto engine = open_engine(session);
        for (const auto& name : *names) engine->destroy(name);
    });
}

}  // namespace vprov::cli
