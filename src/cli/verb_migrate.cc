#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "hypervisor/launch/domains.h"
#include "hypervisor/migrate/migrate.h"

namespace vprov::cli {
namespace {

struct MigrateVerb {
    std::string name, host, ssh = "ssh", directory;
    bool live = false, copies_disks = false;
};

// The words of `ssh`, the host and what is run there; without ssh the host's own words are a command.
std::vector<std::string> receiver(const MigrateVerb& options) {
    std::vector<std::string> argv;
    for (const auto word : split_words(options.ssh)) argv.emplace_back(word);
    if (!argv.empty()) {
        argv.insert(argv.end(), {options.host, "vprov", "migrate-receive"});
        return argv;
    }
    for (const auto word : split_words(options.host)) argv.emplace_back(word);
    if (argv.empty())
        throw error(ErrorKind::usage, "cannot move {}: HOST is empty", quote(options.name));
    return argv;
}

std::string_view described(hypervisor::Method method) {
    switch (method) {
        case hypervisor::Method::shared:
            return "its memory stayed where it is";
        case hypervisor::Method::precopy:
            return "its memory was copied while it ran";
        case hypervisor::Method::postcopy:
            return "its memory followed it";
        case hypervisor::Method::copy:
            return "its memory was copied while it stood still";
    }
    return "";
}

void run_migrate(const MigrateVerb& options, const Session& session) {
    if (options.ssh.find_first_not_of(' ') != std::string::npos && options.host.starts_with('-'))
        throw error(ErrorKind::usage, "cannot move {}: {} is no host", quote(options.name), quote(options.host));
    if (!options.directory.empty() && !options.directory.starts_with('/'))
        throw error(ErrorKind::usage, "cannot move {}: the directory {} has to be an absolute path",
                    quote(options.name), quote(options.directory));
    const auto domains = hypervisor::Domains::standard();
    hypervisor::MoveOptions move;
    move.receiver = receiver(options);
    move.target = quote(options.host);
    move.live = options.live;
    move.copies_disks = options.copies_disks || !options.directory.empty();
    move.directory = options.directory;
    const auto moved = hypervisor::move_domain(domains, options.name, move);
    for (const auto& warning : moved.warnings) fmt::print(stderr, "vprov: warning: {}\n", warning);
    if (session.output == OutputMode::quiet)
        return;
    fmt::print("{}: moved to {} in {:.2f} s, interrupted for {:.3f} s ({})\n", options.name, options.host,
               moved.seconds, moved.standstill, described(moved.method));
    if (move.copies_disks)
        fmt::print("{}: {} of files were copied along; those here are not in use any more\n", options.name,
                   human(Bytes{moved.copied}));
}

}  // namespace

void add_migrate(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("migrate", "Move a running domain to another host");
    auto options = std::make_shared<MigrateVerb>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("HOST", options->host, "Where to, as ssh has it; with an empty -s, the receiving command itself")
        ->required();
    verb->add_flag("--live", options->live, "Interrupt it as shortly as can be, even where both hosts have to last");
    verb->add_flag("--copy-disks", options->copies_disks,
                   "Take its disks, kernel and ramdisk along: HOST has none of them");
    verb->add_option("--directory", options->directory, "Where to at HOST, with --copy-disks; without, the same paths")
        ->type_name("DIRECTORY");
    verb->add_option("-s,--ssh", options->ssh, "The command that reaches HOST")
        ->type_name("COMMAND")
        ->capture_default_str();
    verb->callback([options, &session] { run_migrate(*options, session); });
}

void add_migrate_receive(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("migrate-receive", "The other end of migrate (started by it)");
    verb->group("");
    verb->callback([&session] {
        try {
            hypervisor::receive_domain(hypervisor::Domains::standard(), session.executable,
                                       os::Fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)),
                                       os::Fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)));
        } catch (const Error&) {
            session.exit_status = 8;  // the source has been told why
        }
    });
}

}  // namespace vprov::cli
