#include <fmt/format.h>

#include <cstdio>

#include "base/bytes.h"
#include "cli/verbs.h"
#include "hypervisor/save/save.h"

namespace vprov::cli {
namespace {

struct SaveVerb {
    std::string name, file;
    bool run = false, pause = false, no_sync = false;
};

void run_save(const SaveVerb& verb, const Session& session) {
    using hypervisor::AfterSave;
    const auto domains = hypervisor::Domains::standard();
    const auto name = domains.find(verb.name).name;
    const auto after = verb.run ? AfterSave::run : verb.pause ? AfterSave::pause : AfterSave::end;
    const auto result = hypervisor::save_domain(domains, name, verb.file, {after, !verb.no_sync});
    if (after == AfterSave::end)
        domains.wait_until_gone(name, std::nullopt);
    if (session.output != OutputMode::quiet)
        fmt::print("{}: saved to {} ({:.1f} MiB in {:.2f} s){}\n", name, verb.file,
                   static_cast<double>(result.bytes) / (1 << 20), result.seconds,
                   after == AfterSave::end     ? ""
                   : after == AfterSave::pause ? ", paused"
                                               : ", it goes on");
}

}  // namespace

void add_save(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("save", "Write a domain's memory to a file and end the domain");
    auto options = std::make_shared<SaveVerb>();
    verb->add_option("NAME", options->name, "Name or id of a running domain")->required();
    verb->add_option("FILE", options->file, "Where to; a file of that name is replaced")->required();
    auto* run = verb->add_flag("-c,--checkpoint", options->run, "Let the domain go on afterwards");
    verb->add_flag("-p,--paused", options->pause, "Leave the domain paused afterwards")->excludes(run);
    verb->add_flag("--no-sync", options->no_sync, "Do not wait until the file has reached the disk");
    verb->callback([options, &session] { run_save(*options, session); });
}

}  // namespace vprov::cli
