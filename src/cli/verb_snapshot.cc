#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "hypervisor/save/snapshot.h"

namespace vprov::cli {
namespace {

struct SnapshotVerb {
    std::string action, name, snapshot;
};

void print_list(const std::vector<hypervisor::Snapshot>& snapshots, const Session& session) {
    if (session.output == OutputMode::json) {
        auto list = nlohmann::ordered_json::array();
        for (const auto& s : snapshots)
            list.push_back({{"name", s.name},
                            {"taken", s.taken},
                            {"memory_bytes", s.memory_bytes},
                            {"guest_seconds", s.guest_seconds}});
        fmt::print("{}\n", list.dump());
        return;
    }
    fmt::print("{:<24} {:>12}  {:<19} {:>12}\n", "Name", "Memory(MiB)", "Taken", "Guest(s)");
    for (const auto& s : snapshots)
        fmt::print("{:<24} {:>12.1f}  {:%Y-%m-%d %H:%M:%S} {:>12.1f}\n", s.name,
                   static_cast<double>(s.memory_bytes) / (1 << 20), fmt::localtime(static_cast<std::time_t>(s.taken)),
                   s.guest_seconds);
}

void run_snapshot(const SnapshotVerb& verb, const Session& session) {
    if (verb.action == "list" ? !verb.snapshot.empty() : verb.snapshot.empty())
        throw error(ErrorKind::usage, "cannot {} snapshots of {}: {}", verb.action, quote(verb.name),
                    verb.action == "list" ? "all are listed" : "SNAPSHOT is required");
    const auto domains = hypervisor::Domains::standard();
    const auto name = domains.find(verb.name).name;
    if (verb.action == "create")
        hypervisor::create_snapshot(domains, name, verb.snapshot);
    else if (verb.action == "revert")
        hypervisor::revert_to_snapshot(domains, name, verb.snapshot);
    else if (verb.action == "delete")
        hypervisor::delete_snapshot(domains, name, verb.snapshot);
    else
        print_list(hypervisor::list_snapshots(domains, name), session);
}

}  // namespace

void add_snapshot(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("snapshot", "Keep moments of a domain, disks and memory, and go back to them");
    auto options = std::make_shared<SnapshotVerb>();
    verb->add_option("ACTION", options->action, "create, list, revert or delete")
        ->required()
        ->check(CLI::IsMember({"create", "list", "revert", "delete"}));
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("SNAPSHOT", options->snapshot, "What the moment is called");
    verb->callback([options, &session] { run_snapshot(*options, session); });
}

}  // namespace vprov::cli
