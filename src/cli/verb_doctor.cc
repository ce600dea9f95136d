#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/verbs.h"
#include "doctor/checks.h"

namespace vprov::cli {
namespace {

void print_json(const std::vector<doctor::Check>& checks) {
    auto array = nlohmann::ordered_json::array();
    for (const auto& check : checks)
        array.push_back({{"subject", check.subject},
                         {"verdict", name(check.verdict)},
                         {"need", name(check.need)},
                         {"finding", check.finding},
                         {"fix", check.fix}});
    fmt::print("{}\n", array.dump(2));
}

void print_lines(const std::vector<doctor::Check>& checks) {
    std::size_t width = 0;
    for (const auto& check : checks) width = std::max(width, check.subject.size());
    for (const auto& check : checks) {
        fmt::print("{:<8} {:<{}}  {}\n", name(check.verdict), check.subject, width, check.finding);
        if (!check.fix.empty())
            fmt::print("{:<8} {}\n", "", check.fix);
    }
}

}  // namespace

void add_doctor(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("doctor", "Say what this host can do, and what is missing");
    auto json = std::make_shared<bool>(false);
    verb->add_flag("--json", *json, "As a JSON array");
    verb->footer("Exit status 0 if guests can be built here, 2 if not.");
    verb->callback([json, &session] {
        os::SystemCommandRunner runner;
        const auto checks = doctor::checks_of(doctor::read_host_state(runner));
        const bool works = can_build(checks);
        session.exit_status = works ? 0 : 2;
        if (*json || session.output == OutputMode::json)
            return print_json(checks);
        if (session.output == OutputMode::quiet)
            return;
        print_lines(checks);
        fmt::print("{}\n", works ? "Guests can be built here." : "Guests cannot be built here.");
    });
}

}  // namespace vprov::cli
