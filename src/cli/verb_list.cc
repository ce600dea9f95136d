#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/engine.h"
#include "cli/verbs.h"

namespace vprov::cli {
namespace {

nlohmann::json as_json(const hypervisor::DomainInfo& domain) {
    return {{"name", domain.name},
            {"id", domain.id},
            {"memory_mib", domain.memory_mib},
            {"vcpus", domain.vcpus},
            {"state", domain.state},
            {"engine", domain.engine},
            {"cpu_seconds", domain.cpu_seconds},
            {"supervised", domain.supervised}};
}

// The columns of `xl list`.
void print_table(const std::vector<hypervisor::DomainInfo>& domains) {
    std::fputs("Name                                        ID   Mem VCPUs\tState\tTime(s)\n", stdout);
    for (const auto& domain : domains)
        std::fputs(fmt::format("{:<40} {:5} {:5} {:5}     {}  {:8.1f}\n", domain.name, domain.id, domain.memory_mib,
                               domain.vcpus, domain.state, domain.cpu_seconds)
                       .c_str(),
                   stdout);
}

// The shape of `xl list -l`.
void print_configurations(const hypervisor::DomainEngine& engine, const std::vector<hypervisor::DomainInfo>& domains) {
    auto array = nlohmann::json::array();
    for (const auto& domain : domains)
        array.push_back({{"domid", domain.id}, {"config", nlohmann::json::parse(engine.configuration_json(domain))}});
    std::fputs((array.dump(2) + "\n").c_str(), stdout);
}

}  // namespace

void add_list(CLI::App& app, Session& session) {
    struct Options {
        std::vector<std::string> names;
        bool json = false, with_configuration = false;
    };
    auto* verb = app.add_subcommand("list", "List the running domains");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->names, "Only these (names or ids)");
    verb->add_flag("--json", options->json, "As a JSON array");
    verb->add_flag("-l,--long", options->with_configuration, "As JSON, with the configurations");
    verb->callback([options, &session] {
        const auto engine = open_engine(session);
        std::vector<hypervisor::DomainInfo> domains;
        for (const auto& name : options->names) domains.push_back(engine->find(name));
        if (options->names.empty())
            domains = engine->list();
        if (options->with_configuration)
            return print_configurations(*engine, domains);
        if (!options->json && session.output != OutputMode::json)
            return print_table(domains);
        auto array = nlohmann::json::array();
        for (const auto& domain : domains) array.push_back(as_json(domain));
        std::fputs((array.dump(2) + "\n").c_str(), stdout);
    });
}

}  // namespace vprov::cli
