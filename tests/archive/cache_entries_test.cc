#include "bootstrap/archive/cache_entries.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <ctime>
#include <future>

#include "archive/message.h"
#include "base/text.h"
#include "bootstrap/archive/incoming.h"

namespace vprov::archive {
namespace {
namespace fs = std::filesystem;

const std::string kDeb = "!<arch>\ndebian-binary   ";

class CacheEntries : public testing::Test {
  protected:
    // Published and last used so many hours ago.
    fs::path put(const std::string& content, int hours_ago) {
        IncomingFile file(incoming.new_path());
        file.write(content);
        file.publish(cache, sha256(content));
        return age(cache.path_of(sha256(content)), hours_ago);
    }
    fs::path layer(const std::string& name, const std::string& content, int hours_ago) {
        const auto path = cache.directory() / "layers" / name;
        fs::create_directories(path / "usr/bin");
        os::write_file(path / "usr/bin/program", content);
        return age(path, hours_ago);
    }
    static fs::path age(const fs::path& path, int hours_ago) {
        const timespec time{std::time(nullptr) - hours_ago * 3600L, 0};
        const timespec times[2] = {time, time};
        EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
        return path;
    }
    static std::string kinds(const std::vector<CacheEntry>& entries) {
        std::string text;
        for (const auto& entry : entries) text += fmt::format("{} {}\n", name(entry.kind), entry.size.value);
        return text;
    }

    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    Cache cache{work.path() / "cache"};
    Incoming incoming{cache};
};

TEST_F(CacheEntries, AreListedFromTheOneUsedLongestAgo) {
    put(kDeb + "one", 2);
    put("Package: a\n", 3);
    layer("server", "12345", 1);
    os::write_file(age(cache.directory() / "index", 0) / std::string(64, 'a'), "index");
    EXPECT_EQ(kinds(entries_of(cache)), "package list 11\npackage 27\nlayer 5\nindex 5\n");
    EXPECT_TRUE(cache.find(sha256(kDeb + "one"), Bytes{27}));
    EXPECT_EQ(kinds(entries_of(cache)), "package list 11\nlayer 5\nindex 5\npackage 27\n") << "finding is using";
}

TEST_F(CacheEntries, CopiesOfContentsAreCheckedByTheirOwnDigest) {
    const auto copy = [&](char of, const std::string& name) {
        const auto place = cache.directory() / "data" / std::string(64, of);
        fs::create_directories(place);
        os::write_file(place / name, "packed again");
        return age(place, 1);
    };
    copy('a', sha256("packed again").hex());
    const auto damaged = copy('b', sha256("something else").hex());
    EXPECT_EQ(kinds(entries_of(cache)), "data copy 12\ndata copy 12\n");
    ASSERT_EQ(remove_damaged(cache).size(), 1U);
    EXPECT_FALSE(fs::exists(damaged));
    EXPECT_EQ(kinds(entries_of(cache)), "data copy 12\n");
}

TEST_F(CacheEntries, ThoseUsedLongestAgoGoFirst) {
    const auto oldest = put(std::string(1000, 'a'), 30), middle = put(std::string(1000, 'b'), 20);
    const auto newest = put(std::string(1000, 'c'), 10);
    EXPECT_EQ(prune(cache, {Bytes{3000}, std::nullopt}).removed.size(), 0U);
    const auto pruned = prune(cache, {Bytes{2999}, std::nullopt});
    ASSERT_EQ(pruned.removed.size(), 1U);
    EXPECT_EQ(pruned.removed[0].path, oldest);
    EXPECT_FALSE(fs::exists(oldest));
    EXPECT_EQ(prune(cache, {std::nullopt, std::chrono::hours(15)}).removed.size(), 1U);
    EXPECT_FALSE(fs::exists(middle));
    EXPECT_TRUE(fs::exists(newest));
    EXPECT_EQ(prune(cache, {Bytes{0}, std::nullopt}).kept.size(), 0U);
}

TEST_F(CacheEntries, LayersGoAsAWhole) {
    const auto path = layer("server", "12345", 20);
    os::write_file(age(cache.directory() / "layers", 0) / "web.tar", "tar");
    age(cache.directory() / "layers/web.tar", 10);
    EXPECT_EQ(prune(cache, {Bytes{3}, std::nullopt}).removed.size(), 1U);
    EXPECT_FALSE(fs::exists(path));
    EXPECT_EQ(kinds(entries_of(cache)), "layer 3\n");
}

TEST_F(CacheEntries, WhatARunningBuildUsesStays) {
    const auto used = put(std::string(1000, 'a'), 30), unused = put(std::string(1000, 'b'), 20);
    const Cache running(cache.directory());
    ASSERT_TRUE(running.find(sha256(std::string(1000, 'a')), Bytes{1000}));
    const auto pruned = prune(cache, {Bytes{0}, std::chrono::seconds(0)});
    EXPECT_EQ(pruned.in_use, 1U);
    ASSERT_EQ(pruned.removed.size(), 1U);
    EXPECT_EQ(pruned.removed[0].path, unused);
    EXPECT_TRUE(fs::exists(used));
}

TEST_F(CacheEntries, AUserThatWasKilledCountsNoMore) {
    const auto used = put(std::string(1000, 'a'), 10);
    age(
        [&] {
            const auto dead = cache.directory() / "users/use-abcdef";  // no lock on it
            fs::create_directory(dead);
            return dead;
        }(),
        20);
    EXPECT_EQ(prune(cache, {Bytes{0}, std::nullopt}).removed.size(), 1U);
    EXPECT_FALSE(fs::exists(used));
    EXPECT_FALSE(fs::exists(cache.directory() / "users/use-abcdef"));
}

TEST_F(CacheEntries, NothingIsPrunedBetweenFindingAndUsing) {
    const auto entry = put(std::string(1000, 'a'), 10);
    std::optional<os::FileLock> held(cache.hold());
    auto pruning = std::async(std::launch::async, [&] { return prune(cache, {Bytes{0}, std::nullopt}); });
    EXPECT_EQ(pruning.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
    EXPECT_TRUE(fs::exists(entry));
    held.reset();
    EXPECT_EQ(pruning.get().removed.size(), 1U);
}

TEST_F(CacheEntries, DamagedOnesAreFoundByTheirDigest) {
    const auto truncated = put(kDeb + std::string(1000, 'a'), 1), changed = put("Package: b\n", 1);
    const auto intact = put(kDeb, 1), kept = layer("good", "x", 1), bad = layer("bad", "x", 1);
    const auto index = cache.directory() / "index" / std::string(64, 'a');
    os::write_file(index, std::string(100, 'x'));
    fs::resize_file(truncated, 500);
    os::write_file(changed, "Package: c\n");
    std::vector<fs::path> expected = {truncated, changed, index, bad}, found;
    for (const auto& entry : remove_damaged(cache, [](const fs::path& path) { return path.filename() != "bad"; }))
        found.push_back(entry.path);
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(found, expected);
    for (const auto& path : expected) EXPECT_FALSE(fs::exists(path)) << path;
    EXPECT_TRUE(fs::exists(intact));
    EXPECT_TRUE(fs::exists(kept));
    EXPECT_TRUE(remove_damaged(cache).empty());
}

TEST(CacheBound, ComesFromTheEnvironment) {
    ::unsetenv("VPROV_CACHE_SIZE");
    EXPECT_EQ(Cache::default_bound(), 10_GiB);
    ::setenv("VPROV_CACHE_SIZE", "20G", 1);
    EXPECT_EQ(Cache::default_bound(), 20_GiB);
    ::setenv("VPROV_CACHE_SIZE", "much", 1);
    EXPECT_EQ(message_of([] { Cache::default_bound(); }),
              "other: cannot use VPROV_CACHE_SIZE: 'much' is not a size such as 20G");
    ::unsetenv("VPROV_CACHE_SIZE");
}

}  // namespace
}  // namespace vprov::archive
