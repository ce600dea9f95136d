#include <fmt/format.h>

#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "hypervisor/devices/memory.h"

namespace vprov::cli {

void add_mem_set(CLI::App& app, Session&) {
    struct Options {
        std::string name, memory;
    };
    auto* verb = app.add_subcommand("mem-set", "Give a running domain more or less memory");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("MEM", options->memory, "MiB, or a number with b, k, m, g or t; at most its maxmem")->required();
    verb->callback([options] {
        const auto mib = hypervisor::parse_memory_mib(options->memory);
        if (!mib)
            throw error(ErrorKind::usage, "cannot understand the size {}: MiB, or a number with b, k, m, g or t",
                        quote(options->memory));
        const auto domains = hypervisor::Domains::standard();
        const auto now = hypervisor::set_memory(domains, options->name, *mib);
        if (now != *mib)
            fmt::print(stderr, "vprov: warning: {} has {} MiB so far: it cannot free more, or takes its time\n",
                       options->name, now);
    });
}

}  // namespace vprov::cli
