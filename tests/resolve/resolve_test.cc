// Sets and messages for small archives; oracle_test.py compares with apt on real ones.
#include "bootstrap/resolve/resolve.h"

#include <gtest/gtest.h>

#include "resolve/archive.h"

namespace vprov::resolve {
namespace {

TEST(Resolve, DependenciesComeAlongAndAreAutomatic) {
    TestArchive archive;
    archive.add("sid", R"(a 1
                          Depends: b (>= 2), c
                          b 2
                          Pre-Depends: d
                          c 1
                          d 1
                          e 1)");
    EXPECT_EQ(archive.choose({"a"}), "a=1 b=2* c=1* d=1*");
    EXPECT_EQ(archive.choose({"a", "c"}), "a=1 b=2* c=1 d=1*");
    EXPECT_EQ(archive.choose({}), "");
}

TEST(Resolve, Variants) {
    TestArchive archive;
    archive.add("sid", R"(base 1
                          Essential: yes
                          Depends: libbase
                          libbase 1
                          required 1
                          Priority: required
                          important 1
                          Priority: important
                          apt 1
                          Priority: important
                          build-essential 1
                          usr-is-merged 1
                          optional 1
                          Priority: optional)");
    EXPECT_EQ(archive.choose({}, {}, false, Variant::essential), "base=1 libbase=1* usr-is-merged=1");
    EXPECT_EQ(archive.choose({}, {}, false, Variant::minbase), "apt=1 base=1 libbase=1* required=1 usr-is-merged=1");
    EXPECT_EQ(archive.choose({}, {}, false, Variant::buildd),
              "apt=1 base=1 build-essential=1 libbase=1* required=1 usr-is-merged=1");
    EXPECT_EQ(archive.choose({}, {}, false, Variant::standard),
              "apt=1 base=1 important=1 libbase=1* required=1 usr-is-merged=1");
    EXPECT_EQ(archive.choose({"optional"}, {"required", "base"}, false, Variant::minbase),
              "apt=1 optional=1 usr-is-merged=1");
}

TEST(Resolve, SizesAreSums) {
    TestArchive archive;
    archive.add("sid", "a 1\nDepends: b\nb 1");
    Request request;
    request.variant = Variant::essential;
    request.include = {"a"};
    const auto set = resolve(archive.index(), request);
    EXPECT_EQ(set.download_size(), Bytes{2000});
    EXPECT_EQ(set.installed_size(), Bytes{4096});
}

TEST(Resolve, TheHighestVersionOfThePreferredRelease) {
    deb::Release backports;
    backports.suite = "backports";
    backports.not_automatic = backports.but_automatic_upgrades = true;
    deb::Release experimental;
    experimental.suite = "experimental";
    experimental.not_automatic = true;
    TestArchive archive;
    archive.add(experimental, "a 4\nonly 1").add(backports, "a 3\nonly 0.5").add("main", "a 1").add("updates", "a 2");
    EXPECT_EQ(archive.choose({"a", "only"}), "a=2 only=0.5");
    archive.add("main", "b 1\nDepends: a (>= 3)");
    EXPECT_EQ(archive.choose({"b"}), "a=3* b=1");
}

TEST(Resolve, TheFirstAlternativeThatCanBeHad) {
    TestArchive archive;
    archive.add("sid", R"(a 1
                          Depends: x | y | z
                          y 1
                          z 1
                          b 1
                          Depends: broken | z
                          broken 1
                          Depends: nosuch
                          c 1
                          Depends: y | z)");
    EXPECT_EQ(archive.choose({"a"}), "a=1 y=1*");
    EXPECT_EQ(archive.choose({"b"}), "b=1 z=1*");
    EXPECT_EQ(archive.choose({"c", "z"}), "c=1 z=1");  // met already by a wish
    EXPECT_EQ(archive.choose({"a"}, {"y"}), "a=1 z=1*");
}

TEST(Resolve, ProvidersInAptsOrder) {
    TestArchive archive;
    archive.add("sid", R"(a 1
                          Depends: v
                          p1 1
                          Priority: optional
                          Provides: v
                          p2 1
                          Priority: optional
                          Provides: v
                          b 1
                          Depends: w
                          q1 1
                          Priority: extra
                          Provides: w
                          q2 1
                          Priority: standard
                          Provides: w
                          q3 1
                          Priority: optional
                          Provides: w
                          c 1
                          Depends: r
                          r0 1
                          Priority: required
                          Provides: r
                          r 1
                          Priority: extra
                          d 1
                          Depends: e
                          e1 1
                          Priority: extra
                          Essential: yes
                          Provides: e
                          e2 1
                          Priority: required
                          Provides: e)");
    EXPECT_EQ(archive.choose({"a"}), "a=1 e1=1 p2=1*");  // of equal ones that which is met last
    EXPECT_EQ(archive.choose({"b"}), "b=1 e1=1 q2=1*");  // by priority
    EXPECT_EQ(archive.choose({"c"}), "c=1 e1=1 r=1*");   // a package of that name before any provider
    EXPECT_EQ(archive.choose({"d"}), "d=1 e1=1");
    EXPECT_EQ(archive.choose({"a"}, {"p2"}), "a=1 e1=1 p1=1*");
}

TEST(Resolve, NamesAreMetInRelationsToo) {
    TestArchive archive;
    archive.add("sid", R"(first 1
                          Suggests: p2, unrelated
                          a 1
                          Depends: v
                          p1 1
                          Provides: v
                          p2 1
                          Provides: v)");
    EXPECT_EQ(archive.choose({"a"}), "a=1 p1=1*");
}

TEST(Resolve, VersionedProvides) {
    TestArchive archive;
    archive.add("sid", R"(a 1
                          Depends: v (>= 2)
                          p1 1
                          Provides: v
                          p2 1
                          Provides: v (= 1)
                          p3 1
                          Provides: v (= 2.5)
                          Priority: extra)");
    EXPECT_EQ(archive.choose({"a"}), "a=1 p3=1*");
    EXPECT_EQ(archive.choose({"a"}, {"p3"}),
              "cannot satisfy 'v (>= 2)': p3, which provides it, is excluded; wanted by a, wanted by the recipe");
    archive.add("sid", "b 1\nDepends: v (>= 3)");
    EXPECT_EQ(archive.choose({"b"}),
              "cannot satisfy 'v (>= 3)': only no version by p1, 1 by p2, 2.5 by p3 is available; wanted by b, wanted "
              "by the recipe");
}

TEST(Resolve, MultiArchQualifiers) {
    TestArchive archive;
    archive.add("sid", R"(a 1
                          Depends: python:any (>= 2), lib:native
                          python 3
                          Multi-Arch: allowed
                          lib 1
                          Multi-Arch: same
                          b 1
                          Depends: lib:any
                          c 1
                          Depends: lib:arm64
                          d 1
                          Depends: lib:amd64)");
    EXPECT_EQ(archive.choose({"a"}), "a=1 lib=1* python=3*");
    EXPECT_EQ(archive.choose({"b"}),
              "cannot satisfy 'lib:any': no package of that name is available; wanted by b, wanted by the recipe");
    EXPECT_EQ(archive.choose({"c"}),
              "cannot satisfy 'lib:arm64': no package of that name is available; wanted by c, wanted by the recipe");
    EXPECT_EQ(archive.choose({"d"}), "d=1 lib=1*");
}

TEST(Resolve, RecommendsOnlyWhenAskedFor) {
    TestArchive archive;
    archive.add("sid", R"(a 1
                          Recommends: b, nosuch, c
                          b 1
                          Recommends: d
                          c 1
                          Conflicts: a
                          d 1)");
    EXPECT_EQ(archive.choose({"a"}), "a=1");
    EXPECT_EQ(archive.choose({"a"}, {}, true), "a=1 b=1* d=1*");
}

TEST(Resolve, ConflictsTurnChoices) {
    TestArchive archive;
    archive.add("sid", R"(a 1
                          Depends: x | y
                          b 1
                          Conflicts: x
                          x 1
                          y 1
                          c 1
                          Depends: v
                          p1 1
                          Provides: v
                          p2 1
                          Provides: v
                          Breaks: b (<< 2)
                          self 1
                          Provides: v
                          Conflicts: v)");
    EXPECT_EQ(archive.choose({"a"}), "a=1 x=1*");
    EXPECT_EQ(archive.choose({"a", "b"}), "a=1 b=1 y=1*");
    EXPECT_EQ(archive.choose({"b", "a"}), "a=1 b=1 y=1*");
    EXPECT_EQ(archive.choose({"self"}), "self=1");
    EXPECT_EQ(archive.choose({"c", "p1"}), "c=1 p1=1");
}

TEST(Resolve, BreaksOfOldVersionsOnly) {
    TestArchive archive;
    archive.add("sid", R"(a 1
                          Breaks: b (<< 2)
                          b 1)");
    EXPECT_EQ(archive.choose({"a", "b"}),
              "cannot install 'a' together with 'b': a 1 breaks b (<< 2); a is wanted by the recipe; b is wanted by "
              "the recipe");
    archive.add("updates", "b 2");
    EXPECT_EQ(archive.choose({"a", "b"}), "a=1 b=2");
}

TEST(Resolve, WhatWasMarkedInVainIsTakenBack) {
    TestArchive archive;
    archive.add("sid", R"(a 1
                          Depends: x | y
                          x 1
                          Depends: helper, middle
                          helper 1
                          middle 1
                          Depends: end
                          end 1
                          Depends: nosuch
                          y 1)");
    EXPECT_EQ(archive.choose({"a"}), "a=1 y=1*");
}

TEST(Resolve, TheOnlyProviderOfANameMayBeWished) {
    TestArchive archive;
    archive.add("sid", "p 1\nProvides: v, w\nq 1\nProvides: w");
    EXPECT_EQ(archive.choose({"v"}), "p=1");
    EXPECT_EQ(archive.choose({"w"}), "cannot choose a package for 'w': it is provided by 'p', 'q'; name one of them");
    EXPECT_EQ(archive.choose({"w"}, {"q"}), "p=1");
}

TEST(Resolve, WhatCannotBeHadIsNamedWithItsChain) {
    TestArchive archive;
    archive.add("bookworm", R"(bar 1
                               Depends: foo (>= 2)
                               foo 1.4
                               baz 1
                               Depends: bar | qux (>= 7)
                               qux 5
                               top 1
                               Depends: baz
                               ess 1
                               Essential: yes)");
    EXPECT_EQ(archive.choose({"bar"}),
              "cannot satisfy 'foo (>= 2)': only 1.4 is available; wanted by bar, wanted by the recipe");
    EXPECT_EQ(archive.choose({"top"}),
              "cannot satisfy 'foo (>= 2)': only 1.4 is available; wanted by bar, wanted by baz, wanted by top, wanted "
              "by the recipe");
    EXPECT_EQ(archive.choose({"fou"}), "cannot find package 'fou' in bookworm; did you mean 'foo'?");
    EXPECT_EQ(archive.choose({"zzzzzzzz"}), "cannot find package 'zzzzzzzz' in bookworm");
    EXPECT_EQ(archive.choose({"foo"}, {"foo"}), "cannot include package 'foo': it is excluded as well");
    archive.add("updates", "needy 1\nDepends: foo, nosuch (>= 1)");
    EXPECT_EQ(archive.choose({"needy"}, {"foo"}),
              "cannot satisfy 'foo': it is excluded; wanted by needy, wanted by the recipe");
    EXPECT_EQ(
        archive.choose({"needy"}),
        "cannot satisfy 'nosuch (>= 1)': no package of that name is available; wanted by needy, wanted by the recipe");
    EXPECT_EQ(archive.choose({"nosuch"}), "cannot find package 'nosuch' in bookworm, updates");
}

TEST(Resolve, AnExcludedPackageThatTheBaseNeeds) {
    TestArchive archive;
    archive.add("sid", "base 1\nEssential: yes\nDepends: libc\nlibc 1");
    EXPECT_EQ(archive.choose({}, {"libc"}),
              "cannot satisfy 'libc': it is excluded; wanted by base, wanted by the base system");
    EXPECT_EQ(archive.choose({}, {"base"}), "");
}

TEST(Resolve, ConflictsNameBothSides) {
    TestArchive archive;
    archive.add("sid", R"(mta1 1
                          Provides: mta
                          Conflicts: mta
                          mta2 2
                          Provides: mta
                          Conflicts: mta
                          server 1
                          Depends: mta2)");
    EXPECT_EQ(
        archive.choose({"mta1", "server"}),
        "cannot install 'mta1' together with 'mta2': mta1 1 conflicts with mta, which mta2 provides; mta1 is wanted by "
        "the recipe; mta2 is wanted by server, wanted by the recipe");
}

TEST(Resolve, CirclesEnd) {
    TestArchive archive;
    archive.add("sid", "a 1\nDepends: b\nb 1\nDepends: c\nc 1\nDepends: a, b");
    EXPECT_EQ(archive.choose({"c"}), "a=1* b=1* c=1");
}

TEST(Resolve, AMalformedRelationIsAnErrorOnlyWhereItMatters) {
    TestArchive archive;
    archive.add("sid", "a 1\nDepends: b (>= \nb 1\nc 1");
    EXPECT_EQ(archive.choose({"c"}), "c=1");
    EXPECT_EQ(archive.choose({"a"}), "cannot use package a 1: cannot read relation 'b (>=': a '(' is not closed");
}

}  // namespace
}  // namespace vprov::resolve
