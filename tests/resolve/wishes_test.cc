// Versions, releases and removals in the list of what to include.
#include <gtest/gtest.h>

#include "resolve/archive.h"

namespace vprov::resolve {
namespace {

TestArchive with_backports() {
    TestArchive archive;
    archive.add("stable", R"(web 1.4
                             Depends: libweb (>= 1)
                             libweb 1.4
                             user 1
                             Depends: web
                             other-web 1
                             Provides: server
                             site 1
                             Depends: web | other-web)");
    deb::Release backports;
    backports.uri = "http://mirror.example.org/debian";
    backports.suite = "stable-backports";
    backports.codename = "bookworm-backports";
    backports.not_automatic = backports.but_automatic_upgrades = true;
    archive.add(backports, R"(web 2.0
                              Depends: libweb (>= 2)
                              libweb 2.0)");
    return archive;
}

TEST(Wishes, AVersion) {
    const auto archive = with_backports();
    EXPECT_EQ(archive.choose({"web"}), "libweb=1.4* web=1.4");
    EXPECT_EQ(archive.choose({"web=2.0", "libweb=2.0"}), "libweb=2.0 web=2.0");
    EXPECT_EQ(archive.choose({"web=1.*"}), "libweb=1.4* web=1.4");
    EXPECT_EQ(archive.choose({"user", "web=2.0", "libweb=2.0"}), "libweb=2.0 user=1 web=2.0");
    EXPECT_EQ(archive.choose({"web=3"}), "cannot find version '3' of package 'web': only 2.0, 1.4 is available");
    EXPECT_EQ(archive.choose({"webb=3"}),
              "cannot find package 'webb' in stable, stable-backports; did you mean 'web'?");
}

TEST(Wishes, AReleaseMeansItsDependenciesToo) {
    const auto archive = with_backports();
    EXPECT_EQ(archive.choose({"web/stable-backports"}), "libweb=2.0* web=2.0");
    EXPECT_EQ(archive.choose({"web/bookworm-backports"}), "libweb=2.0* web=2.0");
    EXPECT_EQ(archive.choose({"web/stable"}), "libweb=1.4* web=1.4");
    EXPECT_EQ(archive.choose({"user/stable-backports"}),
              "cannot find package 'user' in release 'stable-backports': only stable has it");
}

TEST(Wishes, ARemovalKeepsThePackageOut) {
    const auto archive = with_backports();
    EXPECT_EQ(archive.choose({"site"}), "libweb=1.4* site=1 web=1.4*");
    EXPECT_EQ(archive.choose({"site", "web-"}), "other-web=1* site=1");
    EXPECT_EQ(archive.choose({"web-", "site"}), "other-web=1* site=1");
    EXPECT_EQ(archive.choose({"web", "web-"}), "cannot include package 'web': 'web-' stands there as well");
    EXPECT_EQ(archive.choose({"nothing-"}), "cannot find package 'nothing' in stable, stable-backports");
}

}  // namespace
}  // namespace vprov::resolve
