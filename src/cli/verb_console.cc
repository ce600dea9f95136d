#include "cli/console_session.h"
#include "cli/engine.h"
#include "cli/verbs.h"

namespace vprov::cli {

void add_console(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("console", "Attach to a domain's console; Ctrl-] detaches");
    auto name = std::make_shared<std::string>();
    verb->add_option("NAME", *name, "Name or id of a running domain")->required();
    verb->callback([name, &session] {
        const auto engine = open_engine(session);
        run_console(*engine, engine->find(*name).name, Replay::tail);
    });
}

}  // namespace vprov::cli
