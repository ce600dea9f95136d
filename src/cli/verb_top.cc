#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>

#include "base/error.h"
#include "cli/engine.h"
#include "cli/top_screen.h"
#include "cli/top_table.h"
#include "cli/verbs.h"
#include "hypervisor/launch/usage.h"
#include "os/interrupt.h"

namespace vprov::cli {
namespace {

using namespace std::chrono_literals;

struct TopOptions {
    bool batch = false;
    double delay = 3;
    unsigned iterations = 0;
    TopOrder order = TopOrder::cpu;
};

void sleep_until(std::chrono::steady_clock::time_point time) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(time - std::chrono::steady_clock::now());
    pollfd stop{os::stop_fd(), POLLIN, 0};
    ::poll(&stop, 1, std::max(0, static_cast<int>(left.count())));
    os::check_stop();
}

// The first table says what happened in a tenth of a second, so that a script need not wait for it.
void print_tables(const hypervisor::Domains& domains, const TopOptions& options, std::chrono::milliseconds delay) {
    auto before = hypervisor::sample_usage(domains);
    for (unsigned i = 0; options.iterations == 0 || i < options.iterations; ++i) {
        sleep_until(before.time + (i == 0 ? std::min(delay, 100ms) : delay));
        auto after = hypervisor::sample_usage(domains);
        auto rates = hypervisor::rates_between(before, after);
        sort_for_top(rates, options.order);
        fmt::print("{}{}\n", i == 0 ? "" : "\n", top_header());
        for (const auto& line : rates) fmt::print("{}\n", top_line(line));
        std::fflush(stdout);
        before = std::move(after);
    }
}

}  // namespace

void add_top(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("top", "Show what the running domains use");
    auto options = std::make_shared<TopOptions>();
    verb->add_flag("-b,--batch", options->batch, "Print tables instead of drawing on the terminal");
    verb->add_option("-d,--delay", options->delay, "Seconds between two tables")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.1, 3600.0))
        ->capture_default_str();
    verb->add_option("-i,--iterations", options->iterations, "With --batch: so many tables; 0 is without end")
        ->type_name("COUNT");
    const std::map<std::string, TopOrder> orders = {{"cpu", TopOrder::cpu},
                                                    {"memory", TopOrder::memory},
                                                    {"disk", TopOrder::disk},
                                                    {"network", TopOrder::network},
                                                    {"name", TopOrder::name}};
    verb->add_option("--sort", options->order, "cpu, memory, disk, network or name")
        ->transform(CLI::Transformer(orders).description(""))
        ->type_name("COLUMN");
    verb->callback([options, &session] {
        const auto domains = qemu_domains(session, "top");
        const std::chrono::milliseconds delay(static_cast<long>(options->delay * 1000));
        if (options->batch || ::isatty(STDOUT_FILENO) == 0 || ::isatty(STDIN_FILENO) == 0)
            return print_tables(domains, *options, delay);
        run_top_screen(domains, delay, options->order);
    });
}

}  // namespace vprov::cli
