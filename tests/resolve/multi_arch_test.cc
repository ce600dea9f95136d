// Packages of several architectures; oracle_test.py and tests/fidelity/requests compare with apt on real archives.
#include <gtest/gtest.h>

#include "base/text.h"
#include "bootstrap/resolve/why.h"
#include "resolve/archive.h"

namespace vprov::resolve {
namespace {

using Strings = std::vector<std::string>;

TestArchive with_i386() {
    return TestArchive(deb::Architectures("amd64", {"i386", "arm64"}));
}

// "lib 1" for amd64 and i386, each with the fields.
std::string both(std::string_view name, std::string_view version, std::string_view fields = "") {
    std::string text;
    for (const auto* architecture : {"amd64", "i386"})
        text += fmt::format("{} {}\nArchitecture: {}\n{}\n", name, version, architecture, fields);
    return text;
}

TEST(MultiArch, TheNativeOneIsMeantUnlessItIsSaid) {
    auto archive = with_i386();
    archive.add("sid", both("tool", "1", "Depends: lib") + both("lib", "1", "Multi-Arch: same"));
    EXPECT_EQ(archive.choose({"tool"}), "lib=1* tool=1");
    EXPECT_EQ(archive.choose({"tool:i386"}), "lib:i386=1* tool:i386=1");
    EXPECT_EQ(archive.choose({"tool:native"}), "lib=1* tool=1");
    EXPECT_EQ(archive.choose({"tool:amd64", "lib:i386"}), "lib=1* lib:i386=1 tool=1");
    EXPECT_EQ(archive.choose({"tool:i386=1"}), "lib:i386=1* tool:i386=1");
    EXPECT_EQ(archive.choose({"tool:i386/sid"}), "lib:i386=1* tool:i386=1");
}

TEST(MultiArch, WhatOnlyAForeignArchitectureHas) {
    auto archive = with_i386();
    archive.add("sid", "wine32 8\nArchitecture: i386\nDepends: lib\n" + both("lib", "1"));
    EXPECT_EQ(archive.choose({"wine32"}), "lib:i386=1* wine32:i386=8");
    EXPECT_EQ(archive.choose({"wine32:amd64"}), "cannot find package 'wine32' in sid");
    EXPECT_EQ(archive.choose({"wine32:arm64"}), "cannot find package 'wine32:arm64' in sid");
    EXPECT_EQ(archive.choose({"wine32:s390x"}),
              "cannot find package 'wine32' of architecture 's390x': packages are those of amd64, i386, arm64 (foreign "
              "architectures have to be named)");
    EXPECT_EQ(archive.choose({"wine32:i386=9"}),
              "cannot find version '9' of package 'wine32:i386': only 8 is available");
}

TEST(MultiArch, SameIsInstalledTogetherInOneVersionOnly) {
    auto archive = with_i386();
    archive.add("sid", both("lib", "1", "Multi-Arch: same") + "lib 2\nArchitecture: amd64\nMulti-Arch: same\n");
    EXPECT_EQ(archive.choose({"lib"}), "lib=2");
    EXPECT_EQ(archive.choose({"lib=1", "lib:i386"}), "lib=1 lib:i386=1");
    EXPECT_EQ(
        archive.choose({"lib=2", "lib:i386"}),
        "cannot install 'lib' together with 'lib:i386': lib 2 and lib:i386 1 are not of one version; lib is wanted by "
        "the recipe; lib:i386 is wanted by the recipe");
}

TEST(MultiArch, AllElseExcludesItselfInOtherArchitectures) {
    auto archive = with_i386();
    archive.add("sid", both("tool", "1") + both("same", "1", "Multi-Arch: same\nDepends: tool"));
    EXPECT_EQ(archive.choose({"tool:i386"}), "tool:i386=1");
    EXPECT_EQ(archive.choose({"tool", "tool:i386"}),
              "cannot install 'tool' together with 'tool:i386': tool excludes other architectures: it is not "
              "Multi-Arch: same; tool is wanted by the "
              "recipe; tool:i386 is wanted by the recipe");
    EXPECT_EQ(archive.choose({"same", "same:i386"}),
              "cannot install 'tool' together with 'tool:i386': tool excludes other architectures: it is not "
              "Multi-Arch: same; tool is wanted by same, "
              "wanted by the recipe; tool:i386 is wanted by same:i386, wanted by the recipe");
}

TEST(MultiArch, ForeignStandsInForTheSameOfEveryArchitecture) {
    auto archive = with_i386();
    archive.add("sid", both("program", "1", "Depends: tool (>= 2), service") +
                           both("tool", "2", "Multi-Arch: foreign") +
                           both("daemon", "1", "Multi-Arch: foreign\nProvides: service"));
    EXPECT_EQ(archive.choose({"program:i386"}), "daemon=1* program:i386=1 tool=2*");
    EXPECT_EQ(archive.choose({"program:i386", "tool:i386"}), "daemon=1* program:i386=1 tool:i386=2");
    EXPECT_EQ(archive.choose({"program", "daemon:i386"}), "daemon:i386=1 program=1 tool=2*");
    EXPECT_EQ(archive.choose({"program:arm64"}), "cannot find package 'program:arm64' in sid");
    EXPECT_EQ(archive.choose({"tool:arm64"}), "tool=2");  // as apt: "selecting tool instead of tool:arm64"
    EXPECT_EQ(archive.choose({"service:i386"}), "daemon:i386=1");
}

TEST(MultiArch, OfAllArchitecturesIsNative) {
    auto archive = with_i386();
    archive.add("sid", "data 1\nArchitecture: all\nDepends: tool\nshared 1\nArchitecture: all\nMulti-Arch: foreign\n" +
                           both("tool", "1") + both("user", "1", "Depends: shared") +
                           both("wrong", "1", "Depends: data"));
    EXPECT_EQ(archive.choose({"data"}), "data=1 tool=1*");
    EXPECT_EQ(archive.choose({"user:i386"}), "shared=1* user:i386=1");
    EXPECT_EQ(
        archive.choose({"wrong:i386"}),
        "cannot satisfy 'data': no package of that name is available; wanted by wrong:i386, wanted by the recipe");
}

TEST(MultiArch, AnyIsMetByWhatAllowsIt) {
    auto archive = with_i386();
    archive.add("sid", both("script", "1", "Depends: python:any (>= 3)") + both("module", "1", "Depends: python") +
                           both("python", "3", "Multi-Arch: allowed") + both("strict", "1", "Depends: other:any") +
                           both("other", "1"));
    EXPECT_EQ(archive.choose({"script:i386"}), "python=3* script:i386=1");
    EXPECT_EQ(archive.choose({"module:i386", "script"}), "module:i386=1 python:i386=3* script=1");
    EXPECT_EQ(
        archive.choose({"strict"}),
        "cannot satisfy 'other:any': no package of that name is available; wanted by strict, wanted by the recipe");
}

TEST(MultiArch, AQualifierNamesTheArchitecture) {
    auto archive = with_i386();
    archive.add("sid", both("lib", "1", "Multi-Arch: same") +
                           "multilib 1\nDepends: lib:i386 (>= 1)\n"
                           "own 1\nDepends: lib:native\n"
                           "far 1\nDepends: lib:s390x\n"
                           "emulated 1\nArchitecture: i386\nProvides: box:amd64\n"
                           "boxed 1\nDepends: box\n");
    EXPECT_EQ(archive.choose({"multilib"}), "lib:i386=1* multilib=1");
    EXPECT_EQ(archive.choose({"own"}), "lib=1* own=1");
    EXPECT_EQ(archive.choose({"far"}),
              "cannot satisfy 'lib:s390x': no package of that name is available; wanted by far, wanted by the recipe");
    EXPECT_EQ(archive.choose({"boxed"}), "boxed=1 emulated:i386=1*");
}

TEST(MultiArch, ProvidesAreOfTheArchitectureOfWhoProvides) {
    auto archive = with_i386();
    archive.add("sid", both("user", "1", "Depends: virtual") + "a 1\nArchitecture: i386\nProvides: virtual\n" +
                           "b 1\nProvides: virtual\n");
    EXPECT_EQ(archive.choose({"user"}), "b=1* user=1");
    EXPECT_EQ(archive.choose({"user:i386"}), "a:i386=1* user:i386=1");
}

TEST(MultiArch, ConflictsSpeakOfEveryArchitecture) {
    auto archive = with_i386();
    archive.add("sid", "new 1\nConflicts: old\nbreaks 1\nBreaks: old (<< 2)\nonly 1\nConflicts: old:amd64\n" +
                           both("old", "1", "Multi-Arch: same") +
                           both("mine", "1", "Multi-Arch: same\nConflicts: mine"));
    EXPECT_EQ(archive.choose({"new", "old:i386"}),
              "cannot install 'new' together with 'old:i386': new 1 conflicts with old; new is wanted by the recipe; "
              "old:i386 is wanted by the recipe");
    EXPECT_EQ(archive.choose({"breaks", "old:i386"}),
              "cannot install 'breaks' together with 'old:i386': breaks 1 breaks old (<< 2); breaks is wanted by the "
              "recipe; old:i386 is wanted by the recipe");
    EXPECT_EQ(archive.choose({"only", "old:i386"}), "old:i386=1 only=1");
    EXPECT_EQ(archive.choose({"mine", "mine:i386"}), "mine=1 mine:i386=1");  // with its own name: only others mean it
}

TEST(MultiArch, TheNativeOneIsPreferred) {
    auto archive = with_i386();
    archive.add("sid", "user 1\nArchitecture: i386\nDepends: service\n" +
                           std::string("far 1\nArchitecture: i386\nMulti-Arch: foreign\nProvides: service\n") +
                           "near 1\nPriority: extra\nMulti-Arch: foreign\nProvides: service\n");
    EXPECT_EQ(archive.choose({"user"}), "near=1* user:i386=1");
    EXPECT_EQ(archive.choose({"user", "near-"}), "far:i386=1* user:i386=1");
    EXPECT_EQ(archive.choose({"user", "far:i386-"}), "near=1* user:i386=1");
}

TEST(MultiArch, WhatIsEssentialIsNative) {
    auto archive = with_i386();
    archive.add("sid",
                both("base", "1", "Essential: yes") + "odd 1\nArchitecture: i386\nEssential: yes\n" + both("a", "1"));
    EXPECT_EQ(archive.choose({"a:i386"}), "a:i386=1 base=1");
    EXPECT_EQ(archive.choose({"base:i386"}),
              "cannot install 'base' together with 'base:i386': base excludes other architectures: it is not "
              "Multi-Arch: same; base is wanted by the "
              "base system; base:i386 is wanted by the recipe");
}

TEST(MultiArch, ExcludedIsEveryArchitecture) {
    auto archive = with_i386();
    archive.add("sid", both("a", "1", "Depends: b | c") + both("b", "1") + both("c", "1"));
    EXPECT_EQ(archive.choose({"a:i386"}, {"b"}), "a:i386=1 c:i386=1*");
}

TEST(MultiArch, AnotherVersionWhereAptIsAtItsEnd) {
    auto archive = with_i386();
    archive.add("sid", both("lib", "1", "Multi-Arch: same") + "lib 2\nMulti-Arch: same\n" +
                           both("user", "1", "Multi-Arch: same\nDepends: lib"));
    EXPECT_EQ(archive.choose({"user", "user:i386"}), "lib=1* lib:i386=1* user=1 user:i386=1");
}

TEST(MultiArch, WhyNamesArchitectures) {
    auto archive = with_i386();
    archive.add("sid", "wine32 8\nArchitecture: i386\nDepends: lib, tool\n" + both("lib", "1", "Multi-Arch: same") +
                           both("tool", "1", "Multi-Arch: foreign"));
    Request request;
    request.variant = Variant::essential;
    request.include = {"wine32"};
    const auto set = resolve(archive.index(), request);
    const auto answer = [&](std::string_view name) {
        const auto why = resolve::why(archive.index(), request, set, request.include, name);
        return why.verdict + "\n" + joined(why.steps, "\n");
    };
    EXPECT_EQ(answer("lib:i386"),
              "lib:i386 1 is installed\nthe recipe includes wine32:i386\nwine32:i386 depends on lib");
    EXPECT_EQ(answer("tool"), "tool 1 is installed\nthe recipe includes wine32:i386\nwine32:i386 depends on tool");
    EXPECT_EQ(answer("lib"), "lib is not installed\nnothing that is installed wants lib");
    EXPECT_EQ(
        answer("tool:i386"),
        "tool:i386 is not installed\ntool excludes other architectures: it is not Multi-Arch: same\n  the recipe "
        "includes wine32:i386\n  wine32:i386 depends on tool\nwine32:i386 depends on tool: tool is installed for it");
}

TEST(MultiArch, TheSetSaysWhichArchitecture) {
    auto archive = with_i386();
    archive.add("sid", both("lib", "1", "Multi-Arch: same"));
    Request request;
    request.variant = Variant::essential;
    request.include = {"lib", "lib:i386"};
    const auto text = canonical_text(resolve(archive.index(), request));
    EXPECT_NE(text.find("lib 1 amd64 "), std::string::npos);
    EXPECT_NE(text.find("lib 1 i386 "), std::string::npos);
}

}  // namespace
}  // namespace vprov::resolve
