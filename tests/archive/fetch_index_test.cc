#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "archive/message.h"
#include "archive/mirror.h"
#include "archive/signing_key.h"
#include "base/text.h"
#include "bootstrap/archive/archive.h"

namespace vprov::archive {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t kJuly11 = 1783764000;  // 2026-07-11 10:00:00 UTC
const std::string kName = std::string(kMirror) + " bookworm";
const std::string kDists = "dists/bookworm/";

class RecordedProgress final : public Progress {
  public:
    void started(Stage) override {}
    void advanced(Stage stage, const StageProgress& progress) override {
        last = fmt::format("{} {}/{} {}", name(stage), progress.bytes_done.value, progress.bytes_total.value,
                           progress.detail);
    }
    void finished(Stage, double, std::string_view) override {}
    void warning(std::string_view text) override { warnings.emplace_back(text); }
    void detail(std::string_view) override {}
    std::string last;
    std::vector<std::string> warnings;
};

// One suite on a mirror in memory, of which no signature is wanted unless a test asks for one.
class FetchIndex : public testing::Test {
  protected:
    FetchIndex() {
        repository.uri = std::string(kMirror) + "/";
        repository.suite = "bookworm";
        repository.components = {"main"};
        repository.trusted = true;
        set_packages(packages_stanza("hello", "1.0", "hello's bytes"));
    }

    void set_packages(const std::string& text, const std::string& folder = "main/binary-amd64/") {
        suite.files[folder + "Packages"] = text;
        suite.files[folder + "Packages.xz"] = compressed(text, ".xz");
        publish();
    }

    // Puts the suite on the mirror, unsigned.
    void publish() {
        mirror.serve(kDists + "Release", {suite.text()});
        for (const auto& [path, content] : suite.files) {
            mirror.serve(kDists + path, {content});
            mirror.serve(kDists + by_hash(path), {content});
        }
    }

    std::string by_hash(const std::string& path) const {
        return path.substr(0, path.rfind('/')) + "/by-hash/SHA256/" + sha256(suite.files.at(path)).hex();
    }

    deb::PackageIndex fetch(std::int64_t today = kJuly11) {
        return fetch_index({repository}, "amd64", mirror, runner, cache, today, progress);
    }
    std::string refusal(std::int64_t today = kJuly11) {
        return message_of([&] { fetch(today); });
    }
    std::string names(const deb::PackageIndex& index) {
        std::string text;
        for (const auto& package : index.packages()) text += fmt::format("{} {}\n", package.name, package.version);
        return text;
    }
    std::vector<std::string> take_requests() { return std::exchange(mirror.requests, {}); }

    void sign(SigningKeys& keys, const std::string& key) {
        repository.trusted = false;
        repository.signed_by = keys.keyring({key});
        mirror.serve(kDists + "InRelease", {keys.clear_sign(suite.text(), {{key}, "", "SHA256", ""})});
    }

    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    Cache cache{work.path() / "cache"};
    FakeTransport mirror;
    os::SystemCommandRunner runner;
    RecordedProgress progress;
    Repository repository;
    SuiteText suite;
    const std::string packages_xz = "main/binary-amd64/Packages.xz";
};

TEST_F(FetchIndex, ComesByHashAndFromTheCacheTheSecondTime) {
    const auto index = fetch();
    EXPECT_EQ(names(index), "hello 1.0\n");
    const auto& release = index.releases()[0];
    EXPECT_EQ(release.uri, kMirror);
    EXPECT_EQ(release.suite, "bookworm");
    EXPECT_EQ(release.origin, "Debian");
    EXPECT_EQ(release.codename, "bookworm");
    EXPECT_EQ(release.date, "Sat, 11 Jul 2026 10:00:00 UTC");
    EXPECT_EQ(release.key, "");
    EXPECT_EQ(release.digest, sha256(suite.text()));
    EXPECT_EQ(take_requests(),
              (std::vector<std::string>{kDists + "InRelease", kDists + "Release", kDists + by_hash(packages_xz)}));
    const auto size = suite.files[packages_xz].size();
    EXPECT_EQ(progress.last, fmt::format("index {}/{} bookworm main/binary-amd64/Packages.xz", size, size));
    EXPECT_EQ(names(fetch()), "hello 1.0\n");
    EXPECT_EQ(take_requests(), (std::vector<std::string>{kDists + "InRelease", kDists + "Release"}));
}

TEST_F(FetchIndex, KeepsTheOrderOfSuitesAndComponents) {
    suite.set("Codename", "bookworm");
    set_packages(packages_stanza("c", "1", "c"), "contrib/binary-amd64/");
    SuiteText updates;
    updates.set("Codename", "bookworm-updates");
    updates.files["main/binary-amd64/Packages"] = packages_stanza("hello", "1.1", "newer");
    updates.set("Acquire-By-Hash", "");
    mirror.serve("dists/bookworm-updates/Release", {updates.text()});
    mirror.serve("dists/bookworm-updates/main/binary-amd64/Packages", {updates.files.begin()->second});
    auto other = repository;
    other.suite = "bookworm-updates";
    repository.components = {"main", "contrib"};
    const auto index = fetch_index({repository, other}, "amd64", mirror, runner, cache, kJuly11, progress);
    EXPECT_EQ(names(index), "hello 1.0\nc 1\nhello 1.1\n");
    EXPECT_EQ(index.releases().size(), 2U);
    EXPECT_EQ(index.packages()[1].release, 0U);
    EXPECT_EQ(index.packages()[2].release, 1U);
}

TEST_F(FetchIndex, PackagesOfForeignArchitecturesAreReadToo) {
    auto foreign = packages_stanza("hello", "1.0", "hello's bytes for arm64");
    foreign.replace(foreign.find("amd64"), 5, "arm64");
    set_packages(foreign, "main/binary-arm64/");
    const auto fetch_for = [&](const deb::Architectures& architectures) {
        const auto index = fetch_index({repository}, architectures, mirror, runner, cache, kJuly11, progress);
        std::string text;
        for (const auto& package : index.packages()) text += index.full_name(package) + " ";
        return text;
    };
    EXPECT_EQ(fetch_for("amd64"), "hello ");
    EXPECT_EQ(fetch_for({"amd64", {"arm64"}}), "hello hello:arm64 ");
    EXPECT_EQ(fetch_for({"amd64", {"arm64"}}), "hello hello:arm64 ");  // from the cache
    EXPECT_EQ(fetch_for({"arm64", {"amd64"}}), "hello hello:amd64 ");
    EXPECT_EQ(progress.warnings, std::vector<std::string>{});
    EXPECT_EQ(fetch_for({"amd64", {"riscv64"}}), "hello ");
    EXPECT_EQ(progress.warnings,
              std::vector<std::string>{kName + " has no packages for 'riscv64', only for amd64 arm64"});
}

TEST_F(FetchIndex, AFlatRepositoryHasNoDists) {
    suite.files = {{"Packages", suite.files["main/binary-amd64/Packages"]}};
    suite.set("Acquire-By-Hash", "");
    mirror.serve("local/Release", {suite.text()});
    mirror.serve("local/Packages", {suite.files["Packages"]});
    repository.suite = "local/";
    repository.components.clear();
    EXPECT_EQ(names(fetch()), "hello 1.0\n");
    EXPECT_EQ(take_requests(), (std::vector<std::string>{"local/InRelease", "local/Release", "local/Packages"}));
    repository.suite = "missing/";
    EXPECT_EQ(refusal(), "cannot find suite 'missing/' at http://mirror.example.org/debian: 404 Not Found");
}

TEST_F(FetchIndex, AnEmptySuiteIsFine) {
    set_packages("");
    EXPECT_EQ(names(fetch()), "");
}

TEST_F(FetchIndex, SignedInPlaceOrApart) {
    SigningKeys keys;
    const auto key = keys.make("Archive <a@example.org>");
    sign(keys, key);
    const auto index = fetch();
    EXPECT_EQ(index.releases()[0].key, key);
    EXPECT_EQ(index.releases()[0].digest, sha256(suite.text()));
    mirror.forget(kDists + "InRelease");
    EXPECT_EQ(refusal(), "cannot trust " + kName + ": it is not signed");
    mirror.serve(kDists + "Release.gpg", {keys.detached(suite.text(), {{key}, "", "SHA256", ""})});
    EXPECT_EQ(fetch().releases()[0].key, key);
    const auto other = keys.make("Other <o@example.org>");
    repository.signed_by = keys.keyring({other});
    EXPECT_EQ(refusal(), "cannot trust " + kName + ": its signing key " + key + " is not in " +
                             quote(repository.signed_by.native()));
}

TEST_F(FetchIndex, OfAnUnverifiedInReleaseOnlyTheBlockIsRead) {
    mirror.serve(kDists + "InRelease", {"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + suite.text() +
                                        "-----BEGIN PGP SIGNATURE-----\n\nxx\n-----END PGP SIGNATURE-----\n"});
    EXPECT_EQ(fetch().releases()[0].digest, sha256(suite.text()));
}

TEST_F(FetchIndex, AnOlderReleaseThanTheLastOneIsAReplay) {
    SigningKeys keys;
    const auto key = keys.make("Archive <a@example.org>");
    sign(keys, key);
    EXPECT_EQ(refusal(), "no error");
    suite.set("Date", "Fri, 10 Jul 2026 10:00:00 UTC");
    sign(keys, key);
    const auto message = "cannot use " + kName +
                         ": its Release file is of 2026-07-10 10:00:00 UTC, older than the one of "
                         "2026-07-11 10:00:00 UTC seen before";
    EXPECT_EQ(refusal(), message);
    EXPECT_EQ(refusal(), message) << "refusing must not forget";
    suite.set("Date", "");
    sign(keys, key);
    EXPECT_EQ(refusal(), "cannot use " + kName +
                             ": its Release file is of no known date, older than the one of 2026-07-11 10:00:00 UTC "
                             "seen before");
    repository.check_valid_until = false;
    EXPECT_EQ(refusal(), "no error");
    repository.check_valid_until = true;
    suite.set("Date", "Sat, 11 Jul 2026 10:00:00 UTC");
    sign(keys, key);
    EXPECT_EQ(refusal(), "no error");
}

TEST_F(FetchIndex, AReleaseThatMayNotBeUsed) {
    suite.set("Valid-Until", "Sat, 18 Jul 2026 10:00:00 UTC");
    publish();
    EXPECT_EQ(refusal(kJuly11 + 30 * 86400), "cannot use " + kName +
                                                 ": its Release file has expired: it was valid until "
                                                 "2026-07-18 10:00:00 UTC");
    repository.components = {"universe"};
    EXPECT_EQ(refusal(), "cannot use " + kName + ": it has no component 'universe', only main contrib");
    repository.components = {"main"};
    suite.set("Codename", "trixie");
    publish();
    EXPECT_EQ(refusal(), "cannot use " + kName + ": its Release file is for 'trixie'");
}

TEST_F(FetchIndex, SuitesAndMirrorsThatAreNotThere) {
    repository.suite = "bookwrm";
    EXPECT_EQ(refusal(), "cannot find suite 'bookwrm' at http://mirror.example.org/debian: 404 Not Found");
    mirror.serve("dists/bookwrm/InRelease", {"", "could not resolve host 'mirror.example.org'"});
    EXPECT_EQ(refusal(),
              "cannot fetch http://mirror.example.org/debian/dists/bookwrm/InRelease: could not resolve "
              "host 'mirror.example.org'");
}

TEST_F(FetchIndex, APackagesFileThatIsNotTheListedOne) {
    const auto path = kDists + by_hash(packages_xz);
    auto wrong = suite.files[packages_xz];
    wrong[wrong.size() / 2] ^= 1;
    mirror.serve(path, {wrong});
    EXPECT_EQ(refusal(), fmt::format("cannot accept {}/{}: its SHA-256 is {}, the Release file says {}", kMirror, path,
                                     sha256(wrong).hex(), sha256(suite.files[packages_xz]).hex()));
    EXPECT_EQ(take_requests().back(), path + " (origin)");
    mirror.serve(path, {suite.files[packages_xz].substr(0, 20)});
    EXPECT_EQ(refusal(), fmt::format("cannot accept {}/{}: it has 20 bytes, the Release file says {}", kMirror, path,
                                     suite.files[packages_xz].size()));
    mirror.serve(path, {wrong, "", false, true});
    EXPECT_EQ(refusal(), fmt::format("cannot fetch {}/{}: larger than the {} bytes it should have", kMirror, path,
                                     suite.files[packages_xz].size()));
    mirror.serve(path, {wrong});
    mirror.then(path, {suite.files[packages_xz]});
    EXPECT_EQ(refusal(), "no error") << "a second try gets past a damaged copy in a proxy";
}

TEST_F(FetchIndex, BrokenAttemptsLeaveNothingBehind) {
    FakeAnswer answer{suite.files[packages_xz]};
    answer.restarts = 2;
    mirror.serve(kDists + by_hash(packages_xz), answer);
    EXPECT_EQ(names(fetch()), "hello 1.0\n");
    const auto size = suite.files[packages_xz].size();
    EXPECT_EQ(progress.last, fmt::format("index {}/{} bookworm main/binary-amd64/Packages.xz", size, size));
}

TEST_F(FetchIndex, ATextThatIsNotTheListedOne) {
    const auto path = kDists + by_hash(packages_xz);
    const auto listed = suite.files["main/binary-amd64/Packages"];
    suite.files["main/binary-amd64/Packages"] = listed + "\n";
    mirror.serve(kDists + "Release", {suite.text()});
    EXPECT_EQ(refusal(), fmt::format("cannot accept {}/{}: it decompresses to {} bytes, the Release file says {}",
                                     kMirror, path, listed.size(), listed.size() + 1));
    suite.files["main/binary-amd64/Packages"] = listed.substr(1);
    mirror.serve(kDists + "Release", {suite.text()});
    EXPECT_EQ(refusal(), fmt::format("cannot accept {}/{}: it decompresses to more than {} bytes", kMirror, path,
                                     listed.size() - 1));
    auto other = listed;
    other[0] = 'p';
    suite.files["main/binary-amd64/Packages"] = other;
    mirror.serve(kDists + "Release", {suite.text()});
    EXPECT_EQ(refusal(), fmt::format("cannot accept {}/{}: decompressed, its SHA-256 is {}, the Release file says {}",
                                     kMirror, path, sha256(listed).hex(), sha256(other).hex()));
}

TEST_F(FetchIndex, MirrorsWithoutByHashAreAskedForTheFile) {
    mirror.forget(kDists + by_hash(packages_xz));
    EXPECT_EQ(names(fetch()), "hello 1.0\n");
    EXPECT_EQ(take_requests().back(), kDists + packages_xz);
    mirror.forget(kDists + packages_xz);
    fs::remove_all(work.path() / "cache/sha256");
    fs::remove_all(work.path() / "cache/index");
    EXPECT_EQ(refusal(), fmt::format("cannot fetch {}/{}{}: 404 Not Found", kMirror, kDists, packages_xz));
}

TEST_F(FetchIndex, AReleaseFileThatHasNotChangedIsNotSentAgain) {
    SigningKeys keys;
    const auto key = keys.make("Archive <a@example.org>");
    sign(keys, key);
    FakeAnswer tagged{keys.clear_sign(suite.text(), {{key}, "", "SHA256", ""})};
    tagged.validator = {"\"v1\"", ""};
    mirror.serve(kDists + "InRelease", tagged);
    EXPECT_EQ(names(fetch()), "hello 1.0\n");
    auto other = tagged;
    other.body = "this would be sent";
    mirror.serve(kDists + "InRelease", other);
    EXPECT_EQ(names(fetch()), "hello 1.0\n");
    const auto kept = fs::directory_iterator(work.path() / "cache/releases")->path();
    std::ofstream(kept, std::ios::app) << "x";
    EXPECT_EQ(refusal(), "cannot trust " + kName + ": it is not signed") << "a damaged one is asked for anew";
    mirror.serve(kDists + "InRelease", tagged);
    EXPECT_EQ(names(fetch()), "hello 1.0\n");
}

TEST_F(FetchIndex, WhatWasReadBeforeIsNotReadAgain) {
    set_packages(packages_stanza("hello", "1.0", "hello's bytes") + packages_stanza("world", "2", "world's bytes"));
    fetch();
    fs::remove_all(work.path() / "cache/sha256");
    take_requests();
    const auto index = fetch();
    EXPECT_EQ(take_requests(), (std::vector<std::string>{kDists + "InRelease", kDists + "Release"}));
    EXPECT_EQ(names(index), "hello 1.0\nworld 2\n");
    EXPECT_EQ(index.releases()[0].digest, sha256(suite.text()));
    ASSERT_EQ(index.versions_of("world").size(), 1U);
    EXPECT_EQ(index.versions_of("world")[0]->filename, pool_path("world", "2"));
    set_packages(packages_stanza("hello", "1.1", "hello's bytes"));
    EXPECT_EQ(names(fetch()), "hello 1.1\n") << "another Packages file is another index";
}

TEST_F(FetchIndex, ADamagedCacheEntryIsFetchedAgain) {
    fetch();
    const auto damage = [](const fs::path& file) {
        auto content = os::read_file(file);
        content[content.size() - 1] ^= 1;
        std::ofstream(file) << content;
    };
    const auto entry = cache.path_of(sha256(suite.files[packages_xz]));
    const auto kept = fs::directory_iterator(work.path() / "cache/index")->path();
    const auto intact = os::read_file(kept);
    damage(kept);
    take_requests();
    EXPECT_EQ(names(fetch()), "hello 1.0\n");
    EXPECT_EQ(take_requests().back(), kDists + "Release") << "the Packages file itself is still there";
    EXPECT_EQ(os::read_file(kept), intact);
    std::ofstream(kept) << intact.substr(0, intact.size() / 2);
    damage(entry);
    EXPECT_EQ(names(fetch()), "hello 1.0\n");
    EXPECT_EQ(take_requests().back(), kDists + by_hash(packages_xz));
    EXPECT_EQ(os::read_file(entry), suite.files[packages_xz]);
    EXPECT_EQ(os::read_file(kept), intact);
}

}  // namespace
}  // namespace vprov::archive
