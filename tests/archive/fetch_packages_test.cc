#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include "archive/message.h"
#include "archive/mirror.h"
#include "bootstrap/archive/archive.h"
#include "os/interrupt.h"
#include "os/temp_dir.h"

namespace vprov::archive {
namespace {
namespace fs = std::filesystem;

class CountingProgress final : public Progress {
  public:
    void started(Stage) override {}
    void advanced(Stage stage, const StageProgress& progress) override {
        lines.push_back(fmt::format("{} {}/{} {}/{} {}", name(stage), progress.bytes_done.value,
                                    progress.bytes_total.value, progress.packages_done, progress.packages_total,
                                    progress.detail));
    }
    void finished(Stage, double, std::string_view) override {}
    void warning(std::string_view) override {}
    void detail(std::string_view) override {}
    std::vector<std::string> lines;
};

class FetchPackages : public testing::Test {
  protected:
    FetchPackages() : index("amd64") {
        std::string text;
        for (const auto& [name, content] : debs) text += packages_stanza(name, "1.0", content);
        deb::Release release;
        release.uri = kMirror;
        release.suite = "bookworm";
        index.add(release, text);
        for (const auto& package : index.packages()) all.push_back(&package);
        for (const auto& [name, content] : debs) mirror.serve(pool_path(name, "1.0"), {content});
    }

    std::vector<DebFile> fetch(const OnDebFile& on_file = {}) {
        return fetch_packages(index, all, mirror, cache, progress, on_file);
    }
    std::string refusal() {
        return message_of([&] { fetch(); });
    }
    std::size_t partials() const {
        std::size_t count = 0;
        for (const auto& entry : fs::directory_iterator(cache.directory() / "partial"))
            count += entry.path().filename() == ".lock" ? 0 : 1;
        return count;
    }
    std::string url(const std::string& name) const { return std::string(kMirror) + "/" + pool_path(name, "1.0"); }

    const std::vector<std::pair<std::string, std::string>> debs = {
        {"small", std::string(10, 's')}, {"large", std::string(5000, 'l')}, {"middle", std::string(2000, 'm')}};
    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    Cache cache{work.path() / "cache"};
    FakeTransport mirror;
    CountingProgress progress;
    deb::PackageIndex index;
    std::vector<const deb::Package*> all;
};

TEST_F(FetchPackages, LargestFirstAndFromTheCacheTheSecondTime) {
    std::vector<std::string> seen;
    const auto files = fetch([&](const DebFile& file) {
        EXPECT_EQ(sha256(os::read_file(file.path)), file.package->sha256);
        seen.emplace_back(file.package->name);
    });
    EXPECT_EQ(mirror.requests, (std::vector<std::string>{pool_path("large", "1.0"), pool_path("middle", "1.0"),
                                                         pool_path("small", "1.0")}));
    EXPECT_EQ(seen, (std::vector<std::string>{"large", "middle", "small"}));
    ASSERT_EQ(files.size(), 3U);
    EXPECT_EQ(files[0].path, cache.path_of(sha256(debs[1].second)));
    EXPECT_EQ(progress.lines.front(), "fetch 1000/7010 0/3 large 1.0");
    EXPECT_EQ(progress.lines.back(), "fetch 7010/7010 3/3 small 1.0");
    EXPECT_EQ(partials(), 0U);
    mirror.requests.clear();
    seen.clear();
    EXPECT_EQ(fetch([&](const DebFile& file) { seen.emplace_back(file.package->name); }).size(), 3U);
    EXPECT_EQ(mirror.requests, std::vector<std::string>{});
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()), (std::set<std::string>{"large", "middle", "small"}));
    EXPECT_TRUE(progress.lines.back().starts_with("fetch 7010/7010 3/3 "));
}

TEST_F(FetchPackages, ADamagedCacheEntryIsFetchedAgain) {
    fetch();
    mirror.requests.clear();
    const auto damaged = cache.path_of(sha256(debs[2].second));
    std::ofstream(damaged) << std::string(2000, 'x');
    std::ofstream(cache.path_of(sha256(debs[0].second))) << "short";
    EXPECT_EQ(fetch().size(), 3U);
    EXPECT_EQ(mirror.requests, (std::vector<std::string>{pool_path("middle", "1.0"), pool_path("small", "1.0")}));
    EXPECT_EQ(os::read_file(damaged), debs[2].second);
}

TEST_F(FetchPackages, WhatTheRepositoryHasNoLongerIsFoundAtItsPathElsewhere) {
    mirror.forget(pool_path("middle", "1.0"));
    mirror.serve("third/" + pool_path("middle", "1.0"), {debs[2].second});
    const std::vector<std::string> others = {std::string(kMirror), std::string(kMirror) + "/second/",
                                             std::string(kMirror) + "/third"};
    EXPECT_EQ(fetch_packages(index, all, mirror, cache, progress, {}, others).size(), 3U);
    EXPECT_EQ(mirror.requests, (std::vector<std::string>{
                                   pool_path("large", "1.0"), pool_path("middle", "1.0"), pool_path("small", "1.0"),
                                   "second/" + pool_path("middle", "1.0"), "third/" + pool_path("middle", "1.0")}));
    std::filesystem::remove(cache.path_of(sha256(debs[2].second)));
    mirror.serve("second/" + pool_path("middle", "1.0"), {std::string(2000, 'w')});
    EXPECT_EQ(
        message_of([&] { fetch_packages(index, all, mirror, cache, progress, {}, others); }),
        fmt::format("cannot accept middle 1.0 from {}/second/{}: its SHA-256 is {}, the index says {}", kMirror,
                    pool_path("middle", "1.0"), sha256(std::string(2000, 'w')).hex(), sha256(debs[2].second).hex()));
}

TEST_F(FetchPackages, OfflineTheCacheIsAllThereIs) {
    const auto offline = make_cache_transport(cache.directory());
    EXPECT_EQ(message_of([&] { fetch_packages(index, all, *offline, cache, progress); }),
              fmt::format("cannot fetch large 1.0 from {}: the cache does not have it, and nothing is fetched offline",
                          url("large")));
    fetch();
    EXPECT_EQ(fetch_packages(index, all, *offline, cache, progress).size(), 3U);
}

TEST_F(FetchPackages, AWrongDigestIsTriedOnceMorePastTheProxies) {
    const std::string wrong(2000, 'w');
    mirror.serve(pool_path("middle", "1.0"), {wrong});
    EXPECT_EQ(refusal(), fmt::format("cannot accept middle 1.0 from {}: its SHA-256 is {}, the index says {}",
                                     url("middle"), sha256(wrong).hex(), sha256(debs[2].second).hex()));
    EXPECT_EQ(mirror.requests.back(), pool_path("middle", "1.0") + " (origin)");
    EXPECT_EQ(partials(), 0U);
    EXPECT_FALSE(fs::exists(cache.path_of(sha256(wrong))));
    mirror.serve(pool_path("middle", "1.0"), {wrong});
    mirror.then(pool_path("middle", "1.0"), {debs[2].second});
    EXPECT_EQ(fetch().size(), 3U);
    EXPECT_EQ(progress.lines.back(), "fetch 7010/7010 3/3 middle 1.0");
}

TEST_F(FetchPackages, TruncatedEndlessAndMissing) {
    mirror.serve(pool_path("large", "1.0"), {std::string(4999, 'l')});
    EXPECT_EQ(refusal(), "cannot accept large 1.0 from " + url("large") + ": it has 4999 bytes, the index says 5000");
    mirror.serve(pool_path("large", "1.0"), {"l", "", false, true});
    EXPECT_EQ(refusal(), "cannot fetch large 1.0 from " + url("large") + ": larger than the 5000 bytes it should have");
    mirror.forget(pool_path("large", "1.0"));
    EXPECT_EQ(refusal(), "cannot fetch large 1.0 from " + url("large") + ": 404 Not Found");
    EXPECT_EQ(partials(), 0U);
}

TEST_F(FetchPackages, AttemptsThatBrokeOffLeaveNothingBehind) {
    FakeAnswer answer{debs[1].second};
    answer.restarts = 1;
    mirror.serve(pool_path("large", "1.0"), answer);
    EXPECT_EQ(fetch().size(), 3U);
    EXPECT_EQ(progress.lines.back(), "fetch 7010/7010 3/3 small 1.0");
}

TEST_F(FetchPackages, WhatBrokeOffIsContinuedByTheNextRun) {
    const auto part = cache.directory() / ("partial/" + sha256(debs[1].second).hex() + ".part");
    mirror.serve(pool_path("large", "1.0"), {std::string(3000, 'l'), "timed out"});
    EXPECT_EQ(refusal(), "cannot fetch large 1.0 from " + url("large") + ": timed out");
    EXPECT_EQ(os::read_file(part), std::string(3000, 'l'));
    mirror.serve(pool_path("large", "1.0"), {debs[1].second});
    mirror.requests.clear();
    EXPECT_EQ(fetch().size(), 3U);
    EXPECT_EQ(mirror.requests[0], pool_path("large", "1.0") + " (3000-)");
    EXPECT_EQ(progress.lines.back(), "fetch 7010/7010 3/3 small 1.0");
    EXPECT_EQ(os::read_file(cache.path_of(sha256(debs[1].second))), debs[1].second);
    EXPECT_EQ(partials(), 0U);
}

TEST_F(FetchPackages, AWrongBeginningIsNotKept) {
    const auto part = cache.directory() / ("partial/" + sha256(debs[1].second).hex() + ".part");
    std::ofstream(part) << std::string(3000, 'x');
    EXPECT_EQ(fetch().size(), 3U);
    EXPECT_EQ(mirror.requests[0], pool_path("large", "1.0") + " (3000-)");
    EXPECT_EQ(mirror.requests.back(), pool_path("large", "1.0") + " (origin)");
    EXPECT_EQ(progress.lines.back(), "fetch 7010/7010 3/3 large 1.0");
    EXPECT_EQ(partials(), 0U);
    fs::remove(cache.path_of(sha256(debs[1].second)));
    std::ofstream(part) << std::string(6000, 'l');
    mirror.requests.clear();
    EXPECT_EQ(fetch().size(), 3U);
    EXPECT_EQ(mirror.requests, std::vector<std::string>{pool_path("large", "1.0")}) << "more than the whole is nothing";
}

TEST_F(FetchPackages, WhatAnotherProcessContinuesIsLeftToIt) {
    const auto part = cache.directory() / ("partial/" + sha256(debs[1].second).hex() + ".part");
    std::ofstream(part) << std::string(3000, 'l');
    const os::FileLock other(part, os::FileLock::Mode::exclusive);
    EXPECT_EQ(fetch().size(), 3U);
    EXPECT_EQ(mirror.requests[0], pool_path("large", "1.0"));
    EXPECT_EQ(os::read_file(part), std::string(3000, 'l'));
}

TEST_F(FetchPackages, WhatAKilledRunLeftIsCleanedUp) {
    fs::create_directories(cache.directory() / "partial/fetch-dead01");
    std::ofstream(cache.directory() / "partial/fetch-dead01/1") << "half";
    const os::TempDir alive(cache.directory() / "partial", "fetch-");
    fetch();
    EXPECT_FALSE(fs::exists(cache.directory() / "partial/fetch-dead01"));
    EXPECT_TRUE(fs::exists(alive.path()));
}

TEST_F(FetchPackages, BuildsThatRunAtOnceShareTheCache) {
    std::vector<std::thread> builds;
    std::atomic<std::size_t> complete{0};
    for (int i = 0; i < 8; ++i)
        builds.emplace_back([this, &complete] {
            FakeTransport own = mirror;
            CountingProgress own_progress;
            Cache own_cache(work.path() / "cache");
            const auto files = fetch_packages(index, all, own, own_cache, own_progress);
            complete += std::count_if(files.begin(), files.end(), [](const DebFile& file) {
                return sha256(os::read_file(file.path)) == file.package->sha256;
            });
        });
    for (auto& build : builds) build.join();
    EXPECT_EQ(complete, 24U);
    EXPECT_EQ(partials(), 0U);
}

TEST_F(FetchPackages, AFullDiskIsNamed) {
    struct rlimit before {};
    ::getrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_IGN);  // writing past the limit then fails with EFBIG, as a full disk does with ENOSPC
    const struct rlimit tight { 1500, before.rlim_max };
    ::setrlimit(RLIMIT_FSIZE, &tight);
    const auto message = refusal();
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_DFL);
    EXPECT_EQ(message, fmt::format("disk: cannot write '{}/partial/{}.part': File too large",
                                   cache.directory().native(), sha256(debs[1].second).hex()));
    EXPECT_EQ(partials(), 0U);
}

TEST_F(FetchPackages, AStopRequestEndsTheCheckingOfTheCache) {
    fetch();
    os::request_stop();
    EXPECT_EQ(refusal(), "interrupted: interrupted");
    os::forget_stop();
}

TEST(CacheDirectory, FollowsTheEnvironment) {
    ::setenv("XDG_CACHE_HOME", "/x/cache", 1);
    EXPECT_EQ(Cache::default_directory(), "/x/cache/vprov");
    ::setenv("XDG_CACHE_HOME", "relative", 1);
    ::setenv("HOME", "/home/me", 1);
    EXPECT_EQ(Cache::default_directory(), ::geteuid() == 0 ? "/var/cache/vprov" : "/home/me/.cache/vprov");
}

TEST(CacheDirectory, ThatCannotBeMade) {
    EXPECT_EQ(message_of([] { Cache cache("/proc/no/cache"); }),
              "disk: cannot make directory '/proc/no/cache/sha256': No such file or directory");
}

}  // namespace
}  // namespace vprov::archive
