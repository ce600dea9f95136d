#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "hypervisor/devices/screen.h"
#include "os/command.h"

namespace vprov::cli {
namespace {

// vncviewer(1) wants HOST:DISPLAY, and port 5900 is display 0.
std::string display_of(const hypervisor::VncAddress& address) {
    constexpr int kFirst = 5900;
    int port = 0;
    std::from_chars(address.port.data(), address.port.data() + address.port.size(), port);
    const auto host = address.host.find(':') == std::string::npos ? address.host : fmt::format("[{}]", address.host);
    return fmt::format("{}:{}", host, port - kFirst);
}

void view(const hypervisor::VncAddress& address) {
    const char* const chosen = std::getenv("VNCVIEWER");
    const std::string program = chosen && *chosen ? chosen : "vncviewer";
    const auto display = display_of(address);
    if (!os::program_exists(program)) {
        fmt::print("{}{}\n", display, address.has_password ? " (asks for the password)" : "");
        return;
    }
    ::execlp(program.c_str(), program.c_str(), display.c_str(), nullptr);
    throw system_error(ErrorKind::hypervisor, errno, fmt::format("cannot run {}", quote(program)));
}

}  // namespace

void add_vncviewer(CLI::App& app, Session&) {
    struct Options {
        std::string name, snapshot;
    };
    auto* verb = app.add_subcommand("vncviewer", "Show the screen of a running domain");
    auto options = std::make_shared<Options>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("--snapshot", options->snapshot, "Write what it shows now as a PNG")->type_name("FILE");
    verb->callback([options] {
        const auto domains = hypervisor::Domains::standard();
        if (options->snapshot.empty())
            view(hypervisor::vnc_address(domains, options->name));
        else
            hypervisor::snapshot_screen(domains, options->name, options->snapshot);
    });
}

}  // namespace vprov::cli
