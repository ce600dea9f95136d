#include <chrono>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "cli/engine.h"
#include "cli/verbs.h"

namespace vprov::cli {
namespace {

struct WaitOptions {
    std::string name;
    bool login = false;
    unsigned seconds = 0;
};

void wait_for_login(const hypervisor::DomainEngine& engine, const std::string& name, const WaitOptions& options) {
    constexpr std::chrono::hours kLong(24);
    const auto most = options.seconds != 0 ? std::chrono::seconds(options.seconds) : kLong;
    const auto login = engine.wait_for_login(name, most);
    if (login.reached)
        return;
    throw error(ErrorKind::hypervisor, "{} has not come to its login prompt: {}{}{}", quote(name), login.cause,
                login.last_lines.empty() ? "" : "; the last of its console:\n", login.last_lines);
}

}  // namespace

void add_wait(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("wait", "Wait until a domain is gone, or can be logged in to");
    auto options = std::make_shared<WaitOptions>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_flag("--login", options->login, "Wait for the login prompt on its console");
    verb->add_option("-t,--timeout", options->seconds, "Give up after so many seconds; 0 is never")
        ->type_name("SECONDS")
        ->capture_default_str();
    verb->callback([options, &session] {
        const auto engine = open_engine(session);
        const auto domain = engine->find(options->name);
        if (options->login)
            return wait_for_login(*engine, domain.name, *options);
        const auto most = options->seconds != 0
                              ? std::optional<std::chrono::milliseconds>(std::chrono::seconds(options->seconds))
                              : std::nullopt;
        if (!engine->wait_until_gone(domain.name, most))
            throw error(ErrorKind::hypervisor, "{} is still running after {} s", quote(domain.name), options->seconds);
    });
}

}  // namespace vprov::cli
