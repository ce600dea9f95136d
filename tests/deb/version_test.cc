#include "bootstrap/deb/version.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace vprov::deb {
namespace {

// In ascending order; dpkg --compare-versions agrees with every pair.
constexpr std::array kAscending = {"0~~",
                                   "0~~a",
                                   "0~",
                                   "0",
                                   "0+a",
                                   "0.0~rc1",
                                   "0.0",
                                   "0.1",
                                   "1~beta1",
                                   "1",
                                   "1-0.1",
                                   "1-1~bpo1",
                                   "1-1",
                                   "1-1+b1",
                                   "1-1+deb12u1",
                                   "1-1.1",
                                   "1-2",
                                   "1-10",
                                   "1a",
                                   "1b",
                                   "1+dfsg",
                                   "1.0a",
                                   "1.0+b",
                                   "1.0.1",
                                   "1.2",
                                   "1.10",
                                   "1.10a-1-1",
                                   "2.36-9",
                                   "2.36-9+deb12u9",
                                   "2.36-9+deb12u10",
                                   "20230311",
                                   "1:0",
                                   "1:0.5",
                                   "2:0~",
                                   "10:0"};

TEST(Version, TableIsAscending) {
    for (std::size_t i = 0; i < kAscending.size(); ++i)
        for (std::size_t j = 0; j < kAscending.size(); ++j)
            EXPECT_EQ(compare_versions(kAscending[i], kAscending[j]), i <=> j) << kAscending[i] << " " << kAscending[j];
}

TEST(Version, DifferentTextsThatAreEqual) {
    for (const auto& [a, b] : {std::pair{"1", "0:1"}, {"1", "1-0"}, {"1.0", "1.00"}, {"00:1-1", "1-01"}, {"1.", "1.0"}})
        EXPECT_EQ(compare_versions(a, b), std::strong_ordering::equal) << a << " " << b;
}

TEST(Version, Parts) {
    const auto parts = version_parts("1:2.3-4-5");
    EXPECT_EQ(parts.epoch, "1");
    EXPECT_EQ(parts.upstream, "2.3-4");
    EXPECT_EQ(parts.revision, "5");
    EXPECT_EQ(version_parts("2.3").revision, "");
}

TEST(Version, WhatIsNone) {
    for (const auto* good : {"1", "1:2-3", "1.2+dfsg~rc1-0.1+b2", "0", "v5", "1:2:3"})
        EXPECT_TRUE(is_version(good)) << good;
    for (const auto* bad : {"", ":1", "1:", "a:1", "1-", "1 2", "1/2", "1_2", "-1:1", "99999999999:1", "1:-1", "1\n"})
        EXPECT_FALSE(is_version(bad)) << bad;
}

}  // namespace
}  // namespace vprov::deb
