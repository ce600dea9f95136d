#include "cli/debootstrap.h"

#include <fmt/format.h>

#include <filesystem>
#include <new>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "cli/debootstrap_arguments.h"
#include "cli/debootstrap_progress.h"
#include "os/temp_dir.h"

namespace vprov::cli {
namespace {
namespace fs = std::filesystem;

// The debootstrap whose manual this follows; scripts compare the number.
constexpr std::string_view kVersion = "1.0.128+vprov" VPROV_VERSION;

constexpr int kFailed = 1, kInterrupted = 130;

// Where clients look after a failure (pbuilder prints its end).
void leave_log(const BootstrapCommand& command, DebootstrapProgress& progress, std::string_view message) {
    if (!fs::is_directory(command.target))
        return;
    const auto folder = fs::path(command.target) / "debootstrap";
    std::error_code failure;
    fs::create_directory(folder, failure);
    os::write_file(folder / "debootstrap.log", fmt::format("{}E: {}\n", progress.log(), message));
    progress.warning(fmt::format("See {} for details", (folder / "debootstrap.log").native()));
}

void work(const DebootstrapCall& call) {
    const auto& command = call.command;
    const bool to_stderr = command.action == BootstrapAction::print_debs || command.target == "-";
    DebootstrapProgress progress(to_stderr ? stderr : stdout, call.verbose ? DebootstrapProgress::Verbosity::verbose
                                                                           : DebootstrapProgress::Verbosity::normal);
    if (!command.script.empty())
        progress.info(fmt::format("The script {} is not used: no suite needs one", quote(command.script)));
    BootstrapEvents events;
    if (command.action == BootstrapAction::print_debs)
        events.selected = print_names;
    try {
        run_bootstrap(command, progress, events);
        if (command.action == BootstrapAction::second_stage)
            progress.info("Base system installed successfully.");
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::script)
            leave_log(command, progress, e.message());
        throw;
    }
}

int run(std::span<const std::string_view> arguments) {
    const auto call = parse_debootstrap(arguments);
    if (call.wanted == DebootstrapCall::Wanted::help)
        fmt::print("{}", kDebootstrapUsage);
    else if (call.wanted == DebootstrapCall::Wanted::version)
        fmt::print("debootstrap {}\n", kVersion);
    else
        work(call);
    return 0;
}

int failed(std::string_view message, int status) {
    fmt::print(stderr, "E: {}\n", message);
    return status;
}

}  // namespace

bool is_called_debootstrap(const char* program) {
    return program && fs::path(program).filename() == "debootstrap";
}

int run_debootstrap(int argc, char** argv) {
    try {
        return run(std::vector<std::string_view>(argv + 1, argv + argc));
    } catch (const Error& e) {
        return failed(e.message(), e.kind() == ErrorKind::interrupted ? kInterrupted : kFailed);
    } catch (const std::bad_alloc&) {
        return failed("out of memory", kFailed);
    } catch (const std::exception& e) {
        return failed(fmt::format("internal error: {}", e.what()), kFailed);
    }
}

}  // namespace vprov::cli
