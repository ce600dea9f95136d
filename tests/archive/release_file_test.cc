#include "bootstrap/archive/release_file.h"

#include <gtest/gtest.h>

#include <random>

#include "archive/message.h"
#include "archive/mirror.h"

namespace vprov::archive {
namespace {

constexpr std::int64_t kJuly11 = 1783764000;  // 2026-07-11 10:00:00 UTC

Repository repository(std::string suite = "bookworm", std::vector<std::string> components = {"main"}) {
    Repository result;
    result.uri = kMirror;
    result.suite = std::move(suite);
    result.components = std::move(components);
    return result;
}

std::string usable(const SuiteText& suite, const Repository& what = repository(), std::int64_t today = kJuly11,
                   const std::string& architecture = "amd64") {
    return message_of([&] { check_usable(parse_release(suite.text()), what, architecture, today); });
}

TEST(ReleaseDate, ReadsRfc1123InUtcOnly) {
    EXPECT_EQ(parse_date("Sat, 11 Jul 2026 10:00:00 UTC"), kJuly11);
    EXPECT_EQ(parse_date("Sat, 11 Jul 2026 10:00:00 +0000"), kJuly11);
    EXPECT_EQ(parse_date("Thu, 01 Jan 1970 00:00:01 GMT"), 1);
    EXPECT_EQ(parse_date("Thu, 29 Feb 2024 23:59:60 Z"), 1709251200);
    for (const char* bad : {"", "Sat, 11 Jul 2026 10:00:00 +0200", "Sat, 11 Jul 2026 25:00:00 UTC", "11 Jul 2026",
                            "Sat, 32 Jul 2026 10:00:00 UTC", "Sat, 11 Foo 2026 10:00:00 UTC",
                            "Sat, 11 Jul 26 10:00:00 UTC", "Sat, 11 Jul 2026 10:00 UTC"})
        EXPECT_FALSE(parse_date(bad)) << bad;
    EXPECT_EQ(date_text(kJuly11), "2026-07-11 10:00:00 UTC");
}

TEST(ReleaseFile, KeepsWhatIsNeeded) {
    SuiteText suite;
    suite.files = {{"main/binary-amd64/Packages.xz", "abc"}, {"main/source/Sources.xz", "d"}};
    suite.set("NotAutomatic", "yes");
    suite.set("Components", "updates/main updates/contrib");
    const auto release = parse_release(suite.text());
    EXPECT_EQ(release.codename, "bookworm");
    EXPECT_EQ(release.date, "Sat, 11 Jul 2026 10:00:00 UTC");
    EXPECT_EQ(release.date_seconds, kJuly11);
    EXPECT_FALSE(release.valid_until_seconds);
    EXPECT_TRUE(release.by_hash);
    EXPECT_TRUE(release.not_automatic);
    EXPECT_FALSE(release.but_automatic_upgrades);
    EXPECT_EQ(release.components, (std::vector<std::string>{"updates/main", "updates/contrib", "main", "contrib"}));
    ASSERT_EQ(release.files.size(), 1U);
    EXPECT_EQ(release.files.at("main/binary-amd64/Packages.xz").size, Bytes{3});
    EXPECT_EQ(release.files.at("main/binary-amd64/Packages.xz").digest, sha256("abc"));
}

TEST(ReleaseFile, SaysWhatItCannotRead) {
    EXPECT_EQ(message_of([] { parse_release("Suite: x\nDate: yesterday\nSHA256:\n"); }),
              "cannot read line 2: 'yesterday' is not a date");
    EXPECT_EQ(message_of([] { parse_release("Suite: x\nSHA512:\n a 1 b\n"); }),
              "cannot read line 1: there are no SHA-256 sums");
    EXPECT_EQ(message_of([] { parse_release("Suite: x\nMD5Sum:\n a 1 b\n"); }),
              "cannot read line 3: 'a 1 b' is not a digest, a size and a name");
    EXPECT_EQ(message_of([] { parse_release("Suite: x\nSHA256:\n 12 1 main/binary-amd64/Packages\n"); }),
              "cannot read line 3: '12 1 main/binary-amd64/Packages' is not a digest, a size and a name");
}

TEST(ReleaseFile, DamagedInputEndsInAnErrorOrInARelease) {
    std::mt19937 random(1);
    SuiteText suite;
    suite.files = {{"main/binary-amd64/Packages.xz", "abc"}, {"main/binary-amd64/Packages", "abcdef"}};
    const auto good = suite.text();
    std::size_t refused = 0;
    for (int round = 0; round < 3000; ++round) {
        auto text = good.substr(0, random() % (good.size() + 1));
        for (int i = 0; i < 3 && !text.empty(); ++i) text[random() % text.size()] = static_cast<char>(random() % 256);
        refused +=
            message_of([&] { packages_files(parse_release(text), repository(), "amd64"); }) != "no error" ? 1 : 0;
    }
    EXPECT_GT(refused, 2000U);
    EXPECT_LT(refused, 3000U);
}

TEST(ReleaseFile, MustBeForTheSuite) {
    SuiteText suite;
    EXPECT_EQ(usable(suite), "no error");
    EXPECT_EQ(usable(suite, repository("oldstable")), "no error");
    EXPECT_EQ(usable(suite, repository("bookworm/updates")), "no error");
    EXPECT_EQ(usable(suite, repository("trixie")), "its Release file is for 'bookworm'");
    suite.set("Codename", "");
    EXPECT_EQ(usable(suite), "its Release file is for 'oldstable'");
}

TEST(ReleaseFile, MustBeValidToday) {
    SuiteText suite;
    suite.set("Valid-Until", "Sat, 18 Jul 2026 10:00:00 UTC");
    constexpr std::int64_t kWeek = 7 * 86400;
    EXPECT_EQ(usable(suite, repository(), kJuly11 + kWeek + 3600), "no error");
    EXPECT_EQ(usable(suite, repository(), kJuly11 + kWeek + 3601),
              "its Release file has expired: it was valid until 2026-07-18 10:00:00 UTC");
    auto unchecked = repository();
    unchecked.check_valid_until = false;
    EXPECT_EQ(usable(suite, unchecked, kJuly11 + 100 * kWeek), "no error");
    EXPECT_EQ(usable(suite, repository(), kJuly11 - 3600), "no error");
    EXPECT_EQ(usable(suite, repository(), kJuly11 - 3601),
              "its Release file is of 2026-07-11 10:00:00 UTC, which is in the future (is the clock right?)");
}

TEST(ReleaseFile, MustHaveTheComponentAndTheArchitecture) {
    const SuiteText suite;
    EXPECT_EQ(usable(suite, repository("bookworm", {"main", "universe"})),
              "it has no component 'universe', only main contrib");
    EXPECT_EQ(usable(suite, repository(), kJuly11, "riscv64"),
              "it has no packages for 'riscv64', only for amd64 arm64");
}

std::string paths_of(const SuiteText& suite, const std::vector<std::string>& components = {"main"}) {
    std::string text;
    for (const auto& file : packages_files(parse_release(suite.text()), repository("bookworm", components), "amd64"))
        text += fmt::format("{} {}{}\n", file.path, file.fetched.size.value,
                            file.plain ? fmt::format(" of {}", file.plain->size.value) : "");
    return text;
}

TEST(PackagesFiles, AllIsReadApartWhereTheReleaseSaysSo) {
    SuiteText suite;
    suite.files = {{"main/binary-amd64/Packages.gz", "12"},
                   {"main/binary-amd64/Packages", "1234"},
                   {"main/binary-all/Packages.gz", "123"},
                   {"main/binary-all/Packages", "12345"},
                   {"contrib/binary-amd64/Packages", "1"}};
    const std::string native = "main/binary-amd64/Packages.gz 2 of 4\n";
    EXPECT_EQ(paths_of(suite), native);
    suite.set("Architectures", "all amd64");
    EXPECT_EQ(paths_of(suite), native + "main/binary-all/Packages.gz 3 of 5\n");
    suite.set("No-Support-for-Architecture-all", "Packages");  // Debian's: binary-amd64 has them too
    EXPECT_EQ(paths_of(suite), native);
    EXPECT_EQ(paths_of(suite, {"contrib"}), "contrib/binary-amd64/Packages 1 of 1\n");
    EXPECT_EQ(message_of([&] {
                  paths_of(suite, {"main", "non-free"});
              }),
              "its Release file lists no Packages file for component 'non-free' and 'amd64'");
}

std::string read_for(const SuiteText& suite, const Repository& repository, const deb::Architectures& architectures) {
    const auto release = parse_release(suite.text());
    std::string text;
    for (const auto& file : packages_files(release, repository, architectures)) text += file.path + " ";
    for (const auto& lacking : lacking_architectures(release, repository, architectures)) text += "-" + lacking + " ";
    return text;
}

TEST(PackagesFiles, OfForeignArchitecturesFollowTheNativeOnes) {
    SuiteText suite;
    suite.set("Architectures", "all amd64 arm64 i386");
    for (const auto* architecture : {"amd64", "arm64", "i386", "all"})
        suite.files[fmt::format("main/binary-{}/Packages", architecture)] = "1";
    suite.files["contrib/binary-amd64/Packages"] = suite.files["contrib/binary-i386/Packages"] = "1";
    const deb::Architectures three("amd64", {"i386", "arm64"});
    EXPECT_EQ(
        read_for(suite, repository(), three),
        "main/binary-amd64/Packages main/binary-i386/Packages main/binary-arm64/Packages main/binary-all/Packages ");
    EXPECT_EQ(read_for(suite, repository("bookworm", {"contrib", "main"}), {"amd64", {"arm64"}}),
              "contrib/binary-amd64/Packages main/binary-amd64/Packages main/binary-arm64/Packages "
              "main/binary-all/Packages ");
    suite.set("Architectures", "amd64 i386");
    EXPECT_EQ(read_for(suite, repository(), {"amd64", {"i386", "riscv64"}}),
              "main/binary-amd64/Packages main/binary-i386/Packages -riscv64 ");
}

TEST(PackagesFiles, OnlyOfTheArchitecturesThatARepositoryIsAskedFor) {
    SuiteText suite;
    suite.set("Architectures", "amd64 i386");
    for (const auto* architecture : {"amd64", "i386"})
        suite.files[fmt::format("main/binary-{}/Packages", architecture)] = "1";
    auto restricted = repository();
    restricted.architectures = {"amd64"};
    EXPECT_EQ(read_for(suite, restricted, {"amd64", {"i386", "riscv64"}}), "main/binary-amd64/Packages ");
    restricted.architectures = {"i386"};
    EXPECT_EQ(read_for(suite, restricted, {"amd64", {"i386"}}), "main/binary-i386/Packages ");
    EXPECT_EQ(read_for(suite, restricted, {"arm64", {"i386"}}), "main/binary-i386/Packages ");
    EXPECT_EQ(usable(suite, restricted, kJuly11, "arm64"), "no error");
}

TEST(PackagesFiles, OfAFlatRepositoryStandBesideItsRelease) {
    SuiteText suite;
    suite.files = {{"Packages", "1234"}, {"Packages.gz", "12"}};
    const auto release = parse_release(suite.text());
    const auto files = packages_files(release, repository("./", {}), "amd64");
    ASSERT_EQ(files.size(), 1U);
    EXPECT_EQ(files[0].path, "Packages.gz");
    EXPECT_EQ(files[0].by_hash_path(), "by-hash/SHA256/" + sha256("12").hex());
    EXPECT_EQ(usable(suite, repository("./", {})), "no error") << "its Suite field names no path";
    EXPECT_EQ(message_of([&] { packages_files(release, repository("bookworm", {}), "amd64"); }),
              "no component of it is named");
    suite.files.clear();
    EXPECT_EQ(message_of([&] { packages_files(parse_release(suite.text()), repository("./", {}), "amd64"); }),
              "its Release file lists no Packages file");
}

TEST(PackagesFiles, TheCheapestFormIsTaken) {
    SuiteText suite;
    const std::string text(50000, 'x');
    suite.files = {{"main/binary-amd64/Packages", text},
                   {"main/binary-amd64/Packages.gz", std::string(12000, 'g')},
                   {"main/binary-amd64/Packages.xz", std::string(8800, 'x')}};
    EXPECT_EQ(paths_of(suite), "main/binary-amd64/Packages.gz 12000 of 50000\n");
    suite.files["main/binary-amd64/Packages.gz"].resize(25000);
    EXPECT_EQ(paths_of(suite), "main/binary-amd64/Packages.xz 8800 of 50000\n");
    suite.files["main/binary-amd64/Packages.zst"] = std::string(11000, 'z');
    EXPECT_EQ(paths_of(suite), "main/binary-amd64/Packages.zst 11000 of 50000\n");
}

TEST(PackagesFiles, SizesThatNoMemoryHoldsAreRefused) {
    const std::string sum(64, 'a');
    const auto release = parse_release("Suite: x\nSHA256:\n " + sum + " 10 main/binary-amd64/Packages.xz\n " + sum +
                                       " 18446744073709551615 main/binary-amd64/Packages\n");
    EXPECT_EQ(message_of([&] { packages_files(release, repository(), "amd64"); }),
              "its Release file lists 'main/binary-amd64/Packages.xz' with more than 1.1 GB");
}

TEST(PackagesFiles, ByHashPathStandsBesideTheFile) {
    const IndexFile file{"main/binary-amd64/Packages.xz", {sha256("x"), Bytes{1}}, std::nullopt, true};
    EXPECT_EQ(file.by_hash_path(), "main/binary-amd64/by-hash/SHA256/" + sha256("x").hex());
}

}  // namespace
}  // namespace vprov::archive
