#include <fmt/format.h>

#include <cstdio>

#include "cli/verbs.h"
#include "hypervisor/devices/vcpus.h"

namespace vprov::cli {

void add_vcpu_set(CLI::App& app, Session&) {
    struct Options {
        std::string name;
        unsigned count = 0;
    };
    auto* verb = app.add_subcommand("vcpu-set", "Give a running domain more or fewer processors");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("N", options->count, "How many; at most its maxvcpus")->required();
    verb->callback(
        [options] { hypervisor::set_vcpus(hypervisor::Domains::standard(), options->name, options->count); });
}

// The columns of `xl vcpu-list`.
void add_vcpu_list(CLI::App& app, Session&) {
    auto* verb = app.add_subcommand("vcpu-list", "List the processors of running domains");
    auto names = std::make_shared<std::vector<std::string>>();
    verb->add_option("NAME", *names, "Only these (names or ids)");
    verb->callback([names] {
        const auto running = hypervisor::Domains::standard();
        std::vector<hypervisor::DomainInfo> domains;
        for (const auto& name : *names) domains.push_back(running.find(name));
        if (names->empty())
            domains = running.list();
        fmt::print("{:<32} {:>5} {:>5} {:>4} {:>6} {:>9} {}\n", "Name", "ID", "VCPU", "CPU", "State", "Time(s)",
                   "Affinity (Hard / Soft)");
        for (const auto& domain : domains)
            for (const auto& vcpu : hypervisor::vcpus_of(running, domain.name))
                fmt::print("{:<32} {:5} {:5} {:4}   {}{}{}  {:9.1f} {} / all\n", domain.name, domain.id, vcpu.index,
                           vcpu.on_cpu, vcpu.state == 'r' ? 'r' : '-', vcpu.state == 'b' ? 'b' : '-',
                           vcpu.state == 'p' ? 'p' : '-', vcpu.seconds, vcpu.affinity);
    });
}

}  // namespace vprov::cli
