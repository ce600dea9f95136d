#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "cli/engine.h"
#include "cli/verbs.h"
#include "hypervisor/launch/domains.h"
#include "os/interrupt.h"

namespace vprov::cli {
namespace {

struct LogOptions {
    std::string name;
    bool follow = false;
    unsigned lines = 0;
};

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

// The last `lines` of it, whole lines; 0: everything.
void print_end(std::string_view text, unsigned lines) {
    print(lines == 0 ? text : last_lines(text, lines));
    if (lines != 0 && !text.empty())
        print("\n");
}

// nullopt: it has ended, maybe a moment ago.
std::optional<hypervisor::DomainEngine::Console> open_running(const hypervisor::Domains& domains,
                                                              const std::string& name) {
    try {
        return domains.open_console(name, hypervisor::Domains::ConsoleMode::read);
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted || domains.is_running(name))
            throw;
        return std::nullopt;
    }
}

// From what is kept of it to its end.
void follow(const hypervisor::Domains& domains, const LogOptions& options) {
    const auto opened = open_running(domains, options.name);
    if (!opened)
        return print_end(domains.console_log(options.name), options.lines);
    const auto& console = *opened;
    std::string recent;
    std::array<char, 16384> buffer{};
    for (;;) {
        std::array<pollfd, 2> waiting = {{{console.stream.get(), POLLIN, 0}, {os::stop_fd(), POLLIN, 0}}};
        ::poll(waiting.data(), waiting.size(), -1);
        os::check_stop();
        const auto count = ::recv(console.stream.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count == 0)
            return;
        if (count < 0)
            continue;
        const std::string_view data(buffer.data(), static_cast<std::size_t>(count));
        if (recent.size() >= console.recent) {
            print(data);
            continue;
        }
        recent += data;
        if (recent.size() >= console.recent)
            print_end(recent, options.lines);
    }
}

}  // namespace

void add_log(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("log", "Print what a domain has said on its console");
    auto options = std::make_shared<LogOptions>();
    verb->add_option("NAME", options->name, "Name or id of a domain that runs, or has ended")->required();
    verb->add_flag("-f,--follow", options->follow, "Go on until the domain ends");
    verb->add_option("-n,--lines", options->lines, "The last so many lines only")->type_name("COUNT");
    verb->callback([options, &session] {
        const auto domains = qemu_domains(session, "log");
        if (options->follow)
            return follow(domains, *options);
        print_end(domains.console_log(options->name), options->lines);
    });
}

}  // namespace vprov::cli
