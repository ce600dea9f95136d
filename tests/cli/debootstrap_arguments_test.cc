#include "cli/debootstrap_arguments.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"

namespace vprov::cli {
namespace {

DebootstrapCall parsed(std::string_view line) {
    const auto words = split_words(line);
    return parse_debootstrap(words);
}

std::string refusal(std::string_view line) {
    try {
        parsed(line);
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::usage);
        return e.message();
    }
    return "accepted";
}

TEST(DebootstrapArguments, SuiteTargetMirrorAndScript) {
    const auto command = parsed("sid /srv/tree http://mirror.example.org/debian sid").command;
    EXPECT_EQ(command.called_as, CalledAs::debootstrap);
    EXPECT_EQ(command.action, BootstrapAction::install);
    EXPECT_EQ(command.suite, "sid");
    EXPECT_EQ(command.target, "/srv/tree");
    EXPECT_EQ(command.mirror, "http://mirror.example.org/debian");
    EXPECT_EQ(command.script, "sid");
    EXPECT_EQ(command.variant, "-");
    EXPECT_FALSE(command.updates);
}

TEST(DebootstrapArguments, ValuesStandBesideOrBehindTheirOptions) {
    const auto command =
        parsed(
            "--arch i386 --variant=buildd --include=a,b --include c --exclude=d --components=main,contrib "
            "--extra-suites=x,y - -")
            .command;
    EXPECT_EQ(command.arch, "i386");
    EXPECT_EQ(command.variant, "buildd");
    EXPECT_EQ(command.include, std::vector<std::string>{"c"});  // the last one counts, as for debootstrap
    EXPECT_EQ(command.exclude, std::vector<std::string>{"d"});
    EXPECT_EQ(command.components, (std::vector<std::string>{"main", "contrib"}));
    EXPECT_EQ(command.extra_suites, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(command.suite, "-");
    EXPECT_EQ(command.target, "-");
}

TEST(DebootstrapArguments, WhatClientsPass) {  // sbuild-createchroot of bookworm, with --verbose
    const auto call = parsed(
        "--arch=amd64 --variant=buildd --verbose --keep-debootstrap-dir --include=fakeroot,build-essential "
        "--components=main --no-check-gpg --resolve-deps --merged-usr bookworm /srv/chroot "
        "http://mirror.example.org/debian");
    EXPECT_TRUE(call.verbose);
    EXPECT_TRUE(call.command.keep_debootstrap_dir);
    EXPECT_EQ(call.command.signature_check, SignatureCheck::off);
    EXPECT_EQ(call.command.merged_usr, true);
}

TEST(DebootstrapArguments, OneThingToDoAtATime) {
    EXPECT_EQ(parsed("--print-debs sid t").command.action, BootstrapAction::print_debs);
    EXPECT_EQ(parsed("--download-only sid t").command.action, BootstrapAction::download_only);
    EXPECT_EQ(parsed("--make-tarball=/x.tgz sid t").command.action, BootstrapAction::make_tarball);
    EXPECT_EQ(parsed("--second-stage").command.action, BootstrapAction::second_stage);
    EXPECT_EQ(parsed("--second-stage --second-stage-target=/srv/t").command.second_stage_target, "/srv/t");
    EXPECT_EQ(refusal("--foreign --print-debs sid t"),
              "--foreign is specified with --print-debs, please use only one of those options.");
}

TEST(DebootstrapArguments, AForeignTreeMayComeFromATarball) {
    const std::string tarball = "--unpack-tarball=" VPROV_TEST_DATA "/CMakeLists.txt";
    for (const auto& line : {"--foreign " + tarball, tarball + " --foreign"}) {
        const auto command = parsed(line + " sid t").command;
        EXPECT_EQ(command.action, BootstrapAction::foreign) << line;
        EXPECT_TRUE(command.unpack_tarball) << line;
    }
}

TEST(DebootstrapArguments, HelpAndVersionEndTheReading) {
    EXPECT_EQ(parsed("--help --nonsense").wanted, DebootstrapCall::Wanted::help);
    EXPECT_EQ(parsed("--version").wanted, DebootstrapCall::Wanted::version);
}

TEST(DebootstrapArguments, RefusedInDebootstrapsWords) {
    EXPECT_EQ(refusal(""), "You must specify a suite and a target.");
    EXPECT_EQ(refusal("sid"), "You must specify a suite and a target.");
    EXPECT_EQ(refusal("--frobnicate sid t"), "unrecognized or invalid option --frobnicate");
    EXPECT_EQ(refusal("--verbose=yes sid t"), "unrecognized or invalid option --verbose=yes");
    EXPECT_EQ(refusal("--include"), "option requires an argument --include");
    EXPECT_EQ(refusal("--include= sid t"), "option requires an argument --include");
    EXPECT_EQ(refusal("--variant=fakechroot sid t"), "unsupported variant");
    EXPECT_EQ(refusal("--extractor=7z sid t"), "7z: unknown extractor");
    EXPECT_EQ(refusal("--cache-dir=debs sid t"), "cache directory should be specified with an absolute path");
    EXPECT_EQ(refusal("--cache-dir=/nonexistent/debs sid t"), "/nonexistent/debs: No such directory");
    EXPECT_EQ(refusal("--keyring=/nonexistent.gpg sid t"), "specified keyring file (/nonexistent.gpg) not found");
    EXPECT_EQ(refusal("--unpack-tarball=/nonexistent.tgz sid t"), "/nonexistent.tgz: No such file or directory");
    EXPECT_EQ(refusal("--second-stage-target=/srv sid t"),
              "option --second-stage-target only applies in the second stage");
    EXPECT_EQ(refusal("--no-check-gpg --force-check-gpg sid t"),
              "Both --no-check-gpg and --force-check-gpg specified, please pick one (at most)");
}

}  // namespace
}  // namespace vprov::cli
