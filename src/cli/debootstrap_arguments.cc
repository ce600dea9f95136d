#include "cli/debootstrap_arguments.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>

#include "base/error.h"
#include "base/text.h"

namespace vprov::cli {
namespace {
namespace fs = std::filesystem;

std::vector<std::string> names_of(std::string_view list) {
    std::vector<std::string> names;
    for (const auto part : split(list, ','))
        for (const auto word : split_words(part)) names.emplace_back(word);
    return names;
}

// What debootstrap allows one of on a line: what there is to do.
class Deed {
  public:
    void choose(DebootstrapCall& call, std::string_view option, BootstrapAction action) {
        auto& command = call.command;
        const bool foreign_of_tarball = (chosen_ == "--foreign" && option == "--unpack-tarball") ||
                                        (chosen_ == "--unpack-tarball" && option == "--foreign");
        if (!chosen_.empty() && !foreign_of_tarball)
            throw error(ErrorKind::usage, "{} is specified with {}, please use only one of those options.", chosen_,
                        option);
        command.action = foreign_of_tarball ? BootstrapAction::foreign : action;
        chosen_ = option;
    }

  private:
    std::string chosen_;
};

using Action = BootstrapAction;

struct Option {
    std::string_view name;
    std::function<void(DebootstrapCall&, Deed&)> set;                            // without a value
    std::function<void(DebootstrapCall&, Deed&, std::string_view)> set_to = {};  // with one
};

void nothing(DebootstrapCall&, Deed&) {}

std::function<void(DebootstrapCall&, Deed&)> deed(std::string_view option, Action action) {
    return [=](DebootstrapCall& call, Deed& chosen) { chosen.choose(call, option, action); };
}

template <class Member>
std::function<void(DebootstrapCall&, Deed&, std::string_view)> text(Member member) {
    return [=](DebootstrapCall& call, Deed&, std::string_view value) { call.command.*member = std::string(value); };
}

std::function<void(DebootstrapCall&, Deed&, std::string_view)> names(std::vector<std::string> BootstrapCommand::*list) {
    return [=](DebootstrapCall& call, Deed&, std::string_view value) { call.command.*list = names_of(value); };
}

template <class Member, class Value>
std::function<void(DebootstrapCall&, Deed&)> flag(Member member, Value value) {
    return [=](DebootstrapCall& call, Deed&) { call.command.*member = value; };
}

void set_signature_check(DebootstrapCall& call, SignatureCheck check) {
    auto& chosen = call.command.signature_check;
    if (chosen != SignatureCheck::wanted && chosen != check)
        throw error(ErrorKind::usage, "Both --no-check-gpg and --force-check-gpg specified, please pick one (at most)");
    chosen = check;
}

void set_cache(DebootstrapCall& call, Deed&, std::string_view value) {
    if (!value.starts_with('/'))
        throw error(ErrorKind::usage, "cache directory should be specified with an absolute path");
    if (!fs::is_directory(value))
        throw error(ErrorKind::usage, "{}: No such directory", value);
    call.command.deb_cache = value;
}

void set_keyring(DebootstrapCall& call, Deed&, std::string_view value) {
    if (!fs::exists(value))
        throw error(ErrorKind::usage, "specified keyring file ({}) not found", value);
    call.command.keyring = fs::absolute(value);
}

void set_variant(DebootstrapCall& call, Deed&, std::string_view value) {
    constexpr std::array<std::string_view, 4> kKnown = {"-", "minbase", "buildd", "essential"};
    if (std::find(kKnown.begin(), kKnown.end(), value) == kKnown.end())
        throw error(ErrorKind::usage, "unsupported variant");
    call.command.variant = value;
}

void set_extractor(DebootstrapCall&, Deed&, std::string_view value) {  // there is one, and it reads all
    if (value != "dpkg-deb" && value != "ar")
        throw error(ErrorKind::usage, "{}: unknown extractor", value);
}

void set_unpack_tarball(DebootstrapCall& call, Deed& chosen, std::string_view value) {
    chosen.choose(call, "--unpack-tarball", Action::install);
    if (!fs::is_regular_file(value))
        throw error(ErrorKind::usage, "{}: No such file or directory", value);
    if (!value.starts_with('/'))
        throw error(ErrorKind::usage, "Tarball must be given an absolute path");
    call.command.tarball = value;
    call.command.unpack_tarball = true;
}

void set_make_tarball(DebootstrapCall& call, Deed& chosen, std::string_view value) {
    chosen.choose(call, "--make-tarball", Action::make_tarball);
    call.command.tarball = fs::absolute(value);
}

void set_second_stage_target(DebootstrapCall& call, Deed&, std::string_view value) {
    if (call.command.action != Action::second_stage)
        throw error(ErrorKind::usage, "option --second-stage-target only applies in the second stage");
    call.command.second_stage_target = value;
}

std::vector<Option> options() {
    using C = BootstrapCommand;
    using Call = DebootstrapCall;
    return {
        {"--help", [](Call& call, Deed&) { call.wanted = Call::Wanted::help; }},
        {"--version", [](Call& call, Deed&) { call.wanted = Call::Wanted::version; }},
        {"--verbose", [](Call& call, Deed&) { call.verbose = true; }},
        {"--foreign", deed("--foreign", Action::foreign)},
        {"--second-stage", deed("--second-stage", Action::second_stage)},
        {"--second-stage-target", {}, set_second_stage_target},
        {"--print-debs", deed("--print-debs", Action::print_debs)},
        {"--download-only", deed("--download-only", Action::download_only)},
        {"--make-tarball", {}, set_make_tarball},
        {"--unpack-tarball", {}, set_unpack_tarball},
        {"--arch", {}, text(&C::arch)},
        {"--include", {}, names(&C::include)},
        {"--exclude", {}, names(&C::exclude)},
        {"--components", {}, names(&C::components)},
        {"--extra-suites", {}, names(&C::extra_suites)},
        {"--variant", {}, set_variant},
        {"--merged-usr", flag(&C::merged_usr, true)},
        {"--no-merged-usr", flag(&C::merged_usr, false)},
        {"--keyring", {}, set_keyring},
        {"--no-check-gpg", [](Call& call, Deed&) { set_signature_check(call, SignatureCheck::off); }},
        {"--force-check-gpg", [](Call& call, Deed&) { set_signature_check(call, SignatureCheck::forced); }},
        {"--no-check-valid-until", flag(&C::valid_until, false)},
        {"--keep-debootstrap-dir", flag(&C::keep_debootstrap_dir, true)},
        {"--cache-dir", {}, set_cache},
        {"--extractor", {}, set_extractor},
        {"--certificate", {}, text(&C::certificate)},
        {"--private-key", {}, text(&C::private_key)},
        {"--no-check-certificate", flag(&C::check_certificate, false)},
        {"--resolve-deps", nothing},  // always: a set that cannot be configured is of no use
        {"--no-resolve-deps", nothing},
        {"--log-extra-deps", nothing},
    };
}

// One option and its value; returns how many arguments it took.
std::size_t take_option(DebootstrapCall& call, Deed& chosen, std::span<const std::string_view> rest) {
    static const auto kOptions = options();
    const auto word = rest.front();
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals);
    const auto option = std::find_if(kOptions.begin(), kOptions.end(), [&](const auto& o) { return o.name == name; });
    if (option == kOptions.end() || (option->set && equals != std::string_view::npos))
        throw error(ErrorKind::usage, "unrecognized or invalid option {}", word);
    if (option->set) {
        option->set(call, chosen);
        return 1;
    }
    const bool apart = equals == std::string_view::npos;
    const auto value = apart ? (rest.size() > 1 ? rest[1] : "") : word.substr(equals + 1);
    if (value.empty())
        throw error(ErrorKind::usage, "option requires an argument {}", name);
    option->set_to(call, chosen, value);
    return apart ? 2 : 1;
}

void take_arguments(BootstrapCommand& command, std::span<const std::string_view> rest) {
    if (command.action == Action::second_stage)
        return;
    if (rest.size() < 2 || rest[0].empty() || rest[1].empty())
        throw Error(ErrorKind::usage, "You must specify a suite and a target.");
    command.suite = rest[0];
    command.target = rest[1];
    if (rest.size() > 2)
        command.mirror = rest[2];
    if (rest.size() > 3)
        command.script = rest[3];
}

}  // namespace

const std::string_view kDebootstrapUsage = R"(Usage: debootstrap [OPTION]... <suite> <target> [<mirror> [<script>]]
Bootstrap a Debian base system into a target: a directory, NAME.tar, NAME.tar.gz,
NAME.tar.xz, NAME.tar.zst, NAME.squashfs, NAME.ext4, or - for a tar on standard output.

      --help                 display this help and exit
      --version              display version information and exit
      --verbose              show what scripts and commands say

      --download-only        download packages, but don't perform installation
      --print-debs           print the packages to be installed, and exit

      --arch=A               set the architecture to install
      --include=A,B,C        adds specified names to the list of base packages
      --exclude=A,B,C        removes specified packages from the list
      --extra-suites=A,B,C   also use packages from the listed suites of the archive
      --components=A,B,C     use packages from the listed components of the archive
      --variant=X            minbase, buildd, essential, or - (the default)
      --merged-usr           make /{bin,sbin,lib}/ symlinks to /usr/
      --no-merged-usr        do not make /{bin,sbin,lib}/ symlinks to /usr/
      --keyring=K            check Release files against keyring K
      --no-check-gpg         avoid checking Release file signatures
      --force-check-gpg      force checking Release file signatures (always done)
      --no-check-valid-until take Release files that have expired
      --resolve-deps, --no-resolve-deps, --log-extra-deps
                             accepted; dependencies are always resolved
      --cache-dir=DIR        keep .deb files in DIR, and take those that it has
      --keep-debootstrap-dir don't delete /debootstrap in the target

      --foreign              unpack only; --second-stage completes it
      --second-stage         complete a tree that --foreign made
      --second-stage-target=DIR
                             the tree is in DIR and not in /
      --unpack-tarball=T     acquire .debs from a tarball instead of http
      --make-tarball=T       download .debs and create a gzipped tarball
      --extractor=TYPE       accepted: dpkg-deb, ar
      --private-key=file     read the private key from file
      --certificate=file     use the client certificate stored in file (PEM)
      --no-check-certificate do not check certificate against certificate authorities

This is vprov under the name of debootstrap; see vprov(1).
)";

DebootstrapCall parse_debootstrap(std::span<const std::string_view> arguments) {
    DebootstrapCall call;
    call.command.called_as = CalledAs::debootstrap;
    call.command.updates = false;  // it knows one suite and one mirror, and those that it is told
    Deed chosen;
    while (!arguments.empty() && arguments.front().starts_with('-') && arguments.front() != "-") {
        arguments = arguments.subspan(take_option(call, chosen, arguments));
        if (call.wanted != DebootstrapCall::Wanted::work)
            return call;
    }
    take_arguments(call.command, arguments);
    return call;
}

}  // namespace vprov::cli
