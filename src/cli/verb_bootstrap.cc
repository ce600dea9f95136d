#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "cli/bootstrap_command.h"
#include "cli/verbs.h"

namespace vprov::cli {
namespace {

// What the options say, before it is put together.
struct Written {
    BootstrapCommand command;
    std::string size, make_tarball, unpack_tarball;
    bool no_check_gpg = false, force_check_gpg = false;
    bool print_debs = false, download_only = false, foreign = false, second_stage = false;
};

void add_names(CLI::App& verb, const std::string& option, std::vector<std::string>& into, const std::string& text) {
    verb.add_option_function<std::vector<std::string>>(
            option,
            [&into](const std::vector<std::string>& values) {
                for (const auto& value : values)
                    for (const auto word : split(value, ','))
                        if (!trimmed(word).empty())
                            into.emplace_back(trimmed(word));
            },
            text)
        ->type_name("A,B,C")
        ->allow_extra_args(false)
        ->trigger_on_parse();
}

void add_what(CLI::App& verb, BootstrapCommand& command) {
    verb.add_option("SUITE", command.suite, "bookworm, trixie, sid, ...");
    verb.add_option("TARGET", command.target,
                    "A directory, new or empty; NAME.tar, .tar.gz, .tar.xz, .tar.zst, .squashfs, .ext4; - for a tar on "
                    "standard output");
    verb.add_option("MIRROR", command.mirror, "Default: the host's own apt sources");
    verb.add_option("SCRIPT", command.script, "Taken for debootstrap's sake, and not used");
    for (const auto* option : {"--arch", "--architectures"})
        verb.add_option_function<std::string>(
                option,
                [&command](const std::string& value) {
                    const auto names = split(value, ',');
                    command.arch = names.front();
                    command.foreign_architectures.assign(names.begin() + 1, names.end());
                },
                "Architecture; foreign ones may follow it")
            ->type_name("ARCH[,FOREIGN]...");
    verb.add_option("--variant", command.variant, "essential, minbase, buildd, standard or -")->type_name("V");
    add_names(verb, "--include", command.include, "Packages to add");
    add_names(verb, "--exclude", command.exclude, "Packages that must not come in");
    add_names(verb, "--components", command.components, "Components of the archive");
    add_names(verb, "--extra-suites", command.extra_suites, "Further suites of the same mirror");
    verb.add_flag_callback(
        "--no-updates", [&command] { command.updates = false; }, "Without SUITE-updates and SUITE-security");
    verb.add_flag_callback(
        "--merged-usr", [&command] { command.merged_usr = true; },
        "/bin, /sbin and /lib are links into /usr (default)");
    verb.add_flag_callback(
        "--no-merged-usr", [&command] { command.merged_usr = false; }, "They are directories");
}

void add_trust(CLI::App& verb, Written& written) {
    verb.add_option("--keyring", written.command.keyring, "Keys that may sign the Release files")->type_name("FILE");
    verb.add_flag("--no-check-gpg", written.no_check_gpg, "Check no signature");
    verb.add_flag("--force-check-gpg", written.force_check_gpg, "Check them, which is the default");
    verb.add_flag_callback(
        "--no-check-valid-until", [&written] { written.command.valid_until = false; },
        "Take Release files that have expired, as a snapshot's");
    verb.add_flag("--allow-weak-digests", written.command.allow_weak_digests,
                  "Take SHA-1 and MD5 where an old archive has no better");
}

void add_how(CLI::App& verb, Written& written) {
    verb.add_option("--cache-dir", written.command.cache_dir, "Where downloads are kept")->type_name("DIR");
    verb.add_flag_callback(
        "--no-layers", [&written] { written.command.layers = pipeline::LayerUse::none; },
        "Neither use configured trees of the cache, nor keep one");
    verb.add_option("--size", written.size, "Of an ext4 image: 2G; default: as needed, and room")->type_name("SIZE");
    verb.add_flag("--print-debs", written.print_debs, "Print the packages' names, and do nothing else");
    verb.add_flag("--download-only", written.download_only, "Fetch packages and lists into TARGET");
    verb.add_option("--make-tarball", written.make_tarball, "Write what --download-only fetches into FILE")
        ->type_name("FILE");
    verb.add_option("--unpack-tarball", written.unpack_tarball, "Take packages and lists from FILE")->type_name("FILE");
    verb.add_flag("--foreign", written.foreign, "Unpack only: the tree is completed elsewhere");
    auto* second = verb.add_flag("--second-stage", written.second_stage, "Complete a tree that --foreign made");
    verb.add_option("--second-stage-target", written.command.second_stage_target, "Where that tree is (/)")
        ->type_name("DIR")
        ->needs(second);
    verb.add_flag("--keep-debootstrap-dir", written.command.keep_debootstrap_dir,
                  "Leave notes in /debootstrap of the tree");
    verb.add_option("--certificate", written.command.certificate, "Shown to HTTPS mirrors (PEM)")->type_name("FILE");
    verb.add_option("--private-key", written.command.private_key, "Of the certificate (PEM)")->type_name("FILE");
    verb.add_option("--ca-certificate", written.command.ca_certificates,
                    "The authorities of HTTPS mirrors (PEM; default: this machine's)")
        ->type_name("FILE");
    verb.add_flag_callback(
        "--no-check-certificate", [&written] { written.command.check_certificate = false; },
        "Take any HTTPS mirror for the one that was named");
}

// One thing to do at a time; a tree may be unpacked for elsewhere from a tarball.
BootstrapAction action_of(const Written& written) {
    struct Deed {
        bool chosen;
        std::string_view option;
        BootstrapAction action;
    };
    const std::array<Deed, 6> deeds = {
        {{written.print_debs, "--print-debs", BootstrapAction::print_debs},
         {written.download_only, "--download-only", BootstrapAction::download_only},
         {!written.make_tarball.empty(), "--make-tarball", BootstrapAction::make_tarball},
         {written.second_stage, "--second-stage", BootstrapAction::second_stage},
         {written.foreign, "--foreign", BootstrapAction::foreign},
         {!written.unpack_tarball.empty() && !written.foreign, "--unpack-tarball", BootstrapAction::install}}};
    const Deed* chosen = nullptr;
    for (const auto& deed : deeds) {
        if (!deed.chosen)
            continue;
        if (chosen)
            throw error(ErrorKind::usage, "cannot bootstrap with {} and {} at once: each is something else to do",
                        chosen->option, deed.option);
        chosen = &deed;
    }
    return chosen ? chosen->action : BootstrapAction::install;
}

bool needs_target(BootstrapAction action) {
    return action != BootstrapAction::print_debs && action != BootstrapAction::make_tarball;
}

void run(Written& written, const Session& session) {
    auto& command = written.command;
    command.action = action_of(written);
    command.unpack_tarball = !written.unpack_tarball.empty();
    if (command.unpack_tarball || !written.make_tarball.empty())
        command.tarball = std::filesystem::absolute(written.make_tarball + written.unpack_tarball);
    if (written.no_check_gpg && written.force_check_gpg)
        throw error(ErrorKind::usage, "cannot bootstrap with --no-check-gpg and --force-check-gpg at once");
    if (written.no_check_gpg)
        command.signature_check = SignatureCheck::off;
    if (written.force_check_gpg)
        command.signature_check = SignatureCheck::forced;
    if (!written.size.empty()) {
        command.size = parse_bytes(written.size);
        if (!command.size)
            throw error(ErrorKind::usage, "cannot use {} as --size: give a number with K, M, G or T",
                        quote(written.size));
    }
    if (command.action == BootstrapAction::second_stage)
        return run_bootstrap(command, *make_progress(session));
    if (command.suite.empty())
        throw CLI::RequiredError("SUITE");
    if (command.target.empty() && needs_target(command.action))
        throw CLI::RequiredError("TARGET");
    const auto progress = make_progress(session);
    if (!command.script.empty())
        progress->warning(fmt::format("the script {} is not used: no suite needs one", quote(command.script)));
    BootstrapEvents events;
    if (command.action == BootstrapAction::print_debs)
        events.selected = print_names;
    run_bootstrap(command, *progress, events);
}

}  // namespace

void print_names(const pipeline::Selection& selection) {
    std::string line;
    for (const auto& selected : selection.packages.packages)
        line += fmt::format("{}{}", line.empty() ? "" : " ", selection.index.full_name(*selected.package));
    fmt::print("{}\n", line);
}

void add_bootstrap(CLI::App& app, Session& session) {
    auto* verb = app.add_subcommand("bootstrap", "Make a Debian tree in a directory, a tar or an image");
    auto written = std::make_shared<Written>();
    add_what(*verb, written->command);
    add_trust(*verb, *written);
    add_how(*verb, *written);
    verb->callback([written, &session] { run(*written, session); });
}

}  // namespace vprov::cli
