#include "cli/engine.h"
#include "cli/verbs.h"

namespace vprov::cli {

void add_pause(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("pause", "Stop a domain's processors; it keeps its memory and devices");
    auto names = std::make_shared<std::vector<std::string>>();
    verb->add_option("NAME", *names, "Names or ids of running domains")->required();
    verb->callback([names, &session] {
        const auto engine = open_engine(session);
        for (const auto& name : *names) engine->pause(name);
    });
}

void add_unpause(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("unpause", "Let a paused domain go on");
    auto names = std::make_shared<std::vector<std::string>>();
    verb->add_option("NAME", *names, "Names or ids of paused domains")->required();
    verb->callback([names, &session] {
        const auto engine = open_engine(session);
        for (const auto& name : *names) engine->unpause(name);
    });
}

}  // namespace vprov::cli
