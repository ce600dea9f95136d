#include "cli/cli.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <clocale>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/debootstrap.h"
#include "cli/verbs.h"
#include "os/interrupt.h"

namespace vprov::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  vprov check debian1.toml                 is the recipe right?\n"
    "  vprov plan debian1.toml                  what would happen: packages, disks, files\n"
    "  vprov build debian1.toml --launch        build the guest and boot it to its login prompt\n"
    "  vprov build web.toml --set name=web2 --set network.0.mac=aa:00:00:00:00:02\n"
    "  vprov list                               the guests that run here\n"
    "  vprov console debian1                    its console; Ctrl-] leaves it\n"
    "  vprov bootstrap bookworm /srv/tree       a Debian tree only\n"
    "Manual: vprov(1), recipes: vprov-recipe(5)";

const std::map<std::string, EngineName> kEngineNames = {
    {"auto", EngineName::automatic}, {"qemu", EngineName::qemu}, {"xen", EngineName::xen}};

// vprov(1), EXIT STATUS
int exit_status(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::internal:
            return 1;
        case ErrorKind::usage:
            return 2;
        case ErrorKind::recipe:
            return 3;
        case ErrorKind::archive:
            return 4;
        case ErrorKind::packages:
            return 5;
        case ErrorKind::disk:
            return 6;
        case ErrorKind::script:
            return 7;
        case ErrorKind::hypervisor:
            return 8;
        case ErrorKind::interrupted:
            return 130;
    }
    return 1;
}

std::string_view word(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::internal:
            return "internal";
        case ErrorKind::usage:
            return "usage";
        case ErrorKind::recipe:
            return "recipe";
        case ErrorKind::archive:
            return "archive";
        case ErrorKind::packages:
            return "packages";
        case ErrorKind::disk:
            return "disk";
        case ErrorKind::script:
            return "script";
        case ErrorKind::hypervisor:
            return "hypervisor";
        case ErrorKind::interrupted:
            return "interrupted";
    }
    return "internal";
}

int report(const Session& session, ErrorKind kind, std::string_view message) {
    const int status = exit_status(kind);
    if (session.output == OutputMode::json) {
        const nlohmann::ordered_json event = {
            {"event", "error"}, {"kind", word(kind)}, {"exit_status", status}, {"message", message}};
        fmt::print("{}\n", event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
        std::fflush(stdout);
    }
    // Recipe errors carry their place at the start of each line, as compilers' do, and editors find it there.
    fmt::print(stderr, "{}{}\n", kind == ErrorKind::recipe ? "" : "vprov: ", message);
    return status;
}

void add_global_options(CLI::App& app, Session& session) {
    app.add_flag_callback(
        "-q,--quiet", [&] { session.output = OutputMode::quiet; }, "Print nothing but errors and warnings");
    app.add_flag_callback(
        "--json", [&] { session.output = OutputMode::json; }, "Print one JSON event a line, for programs");
    app.add_flag("-v,--verbose", session.verbose, "Show what scripts and commands say");
    app.add_option("--engine", session.engine, "What runs domains: auto (Xen on its dom0, else QEMU), qemu or xen")
        ->envname("VPROV_ENGINE")
        ->transform(CLI::Transformer(kEngineNames).description(""))
        ->type_name("ENGINE");
    app.set_version_flag("--version", "vprov " VPROV_VERSION);
}

void add_devices(CLI::App& app, Session& session) {
    add_mem_set(app, session);
    add_block_attach(app, session);
    add_block_detach(app, session);
    add_block_list(app, session);
    add_network_attach(app, session);
    add_network_detach(app, session);
    add_network_list(app, session);
    add_cd_insert(app, session);
    add_cd_eject(app, session);
    add_vcpu_set(app, session);
    add_vcpu_list(app, session);
    add_vncviewer(app, session);
}

void add_verbs(CLI::App& app, Session& session) {
    add_check(app, session);
    add_plan(app, session);
    add_why(app, session);
    add_lock(app, session);
    add_config(app, session);
    add_import(app, session);
    add_build(app, session);
    add_image(app, session);
    add_verify(app, session);
    add_bootstrap(app, session);
    add_cache(app, session);
    add_create(app, session);
    add_template(app, session);
    add_list(app, session);
    add_top(app, session);
    add_console(app, session);
    add_log(app, session);
    add_wait(app, session);
    add_ssh(app, session);
    add_shutdown(app, session);
    add_reboot(app, session);
    add_pause(app, session);
    add_unpause(app, session);
    add_rename(app, session);
    add_destroy(app, session);
    add_migrate(app, session);
    add_migrate_receive(app, session);
    add_autostart(app, session);
    add_devices(app, session);
    add_save(app, session);
    add_restore(app, session);
    add_snapshot(app, session);
    add_supervise(app, session);
    add_doctor(app, session);
    add_completion(app, session);
}

// CLI11 asks for a verb where it meets an unknown one.
std::string what_is_wrong(const CLI::App& app, const CLI::ParseError& failure) {
    const auto words = app.remaining();
    if (!app.get_subcommands().empty() || words.empty() || words.front().starts_with('-'))
        return fmt::format("cannot understand the command line: {}", failure.what());
    std::vector<std::string_view> verbs;
    for (const auto* verb : app.get_subcommands({}))
        if (!verb->get_group().empty())
            verbs.push_back(verb->get_name());
    const auto near = nearest(words.front(), verbs);
    return fmt::format("cannot run {}: there is no such verb{}", quote(words.front()),
                       near.empty() ? "" : fmt::format("; did you mean {}?", quote(near)));
}

int parse_and_run(CLI::App& app, Session& session, int argc, char** argv) {
    try {
        app.parse(argc, argv);
        return session.exit_status;
    } catch (const CLI::Success& wanted) {  // --help and --version
        return app.exit(wanted);
    } catch (const CLI::ParseError& e) {
        fmt::print(stderr, "vprov: {}\nTry 'vprov --help'.\n", what_is_wrong(app, e));
        return exit_status(ErrorKind::usage);
    } catch (const Error& e) {
        return report(session, e.kind(), e.what());
    } catch (const std::bad_alloc&) {
        return report(session, ErrorKind::internal, "cannot go on: out of memory");
    } catch (const std::exception& e) {
        return report(session, ErrorKind::internal, fmt::format("internal error: {}", e.what()));
    }
}

}  // namespace

int run(int argc, char** argv) {
    // libarchive reads member names in the locale's encoding; Debian's are UTF-8 whatever the user's locale is.
    std::setlocale(LC_CTYPE, "C.UTF-8");
    os::catch_stop_signals();
    if (argc > 0 && is_called_debootstrap(argv[0]))
        return run_debootstrap(argc, argv);
    Session session;
    std::error_code failure;
    session.executable = std::filesystem::read_symlink("/proc/self/exe", failure).native();
    CLI::App app{"Builds Debian guests from one TOML recipe and runs them.", "vprov"};
    app.require_subcommand(1);
    app.fallthrough();
    app.get_formatter()->column_width(34);
    add_global_options(app, session);
    add_verbs(app, session);
    app.footer(kExamples);  // last: verbs take over the footer that is there when they are added
    return parse_and_run(app, session, argc, argv);
}

}  // namespace vprov::cli
