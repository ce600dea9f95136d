#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "cli/configurations.h"
#include "cli/engine.h"
#include "cli/verbs.h"
#include "hypervisor/template/make_template.h"
#include "os/fd.h"

namespace vprov::cli {
namespace fs = std::filesystem;
namespace {

struct TemplateVerb {
    std::string domain, directory, output = "out";
    unsigned boot_time = 600;
    bool no_sandbox = false;
};

void run_template(const TemplateVerb& verb, const Session& session) {
    const auto path = find_configuration(verb.domain, verb.output);
    const auto read = hypervisor::read_xl_cfg(os::read_file(path, ErrorKind::hypervisor), path.native());
    for (const auto& warning : read.warnings) fmt::print(stderr, "vprov: warning: {}\n", warning);
    hypervisor::TemplateOptions options;
    options.creation.executable = session.executable;
    options.creation.folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    options.creation.sandbox = !verb.no_sandbox;
    options.boot_time = std::chrono::seconds(verb.boot_time);
    if (session.output != OutputMode::quiet)
        options.on_stage = [&](std::string_view stage) {
            fmt::print("{}: {}\n", read.guest.name, stage);
            std::fflush(stdout);
        };
    const auto made = hypervisor::make_template(qemu_domains(session, "template"), read.guest, verb.directory, options);
    for (const auto& warning : made.warnings) fmt::print(stderr, "vprov: warning: {}\n", warning);
    if (session.output != OutputMode::quiet)
        fmt::print("{0}: a template with {1} MiB of memory; a clone: vprov create --from {0} NAME\n", verb.directory,
                   made.memory_bytes >> 20);
}

}  // namespace

void add_template(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("template", "Boot a guest and keep it, to start clones from in a moment");
    auto options = std::make_shared<TemplateVerb>();
    verb->add_option("NAME|CFG", options->domain, "A configuration, as for create; the guest has vprov's agent")
        ->required();
    verb->add_option("DIR", options->directory, "A new directory for it")->required();
    verb->add_option("--output", options->output, "Where built domains are")->type_name("DIR")->capture_default_str();
    verb->add_option("--timeout", options->boot_time, "For its boot, in seconds")->capture_default_str();
    verb->add_flag("--no-sandbox", options->no_sandbox, "As for create");
    verb->callback([options, &session] { run_template(*options, session); });
}

}  // namespace vprov::cli
