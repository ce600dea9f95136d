#include "os/id_map.h"

#include <gtest/gtest.h>

namespace vprov::os {
namespace {

TEST(IdMap, ReadsAndWritesTheKernelsForm) {
    const IdMap map = parse_id_map("         0       1000          1\n         1     100000      65536\nnoise\n");
    EXPECT_EQ(map, (IdMap{{0, 1000, 1}, {1, 100000, 65536}}));
    EXPECT_EQ(id_map_text(map), "0 1000 1\n1 100000 65536\n");
    EXPECT_EQ(parse_id_map(""), IdMap{});
    EXPECT_EQ(parse_id_map("0 0 4294967295\n"), (IdMap{{0, 0, 4294967295U}}));
}

TEST(IdMap, CountsFromZeroUpToAGap) {
    EXPECT_EQ(ids_from_zero({}), 0U);
    EXPECT_EQ(ids_from_zero({{1, 100000, 65536}}), 0U);
    EXPECT_EQ(ids_from_zero({{0, 1000, 1}}), 1U);
    EXPECT_EQ(ids_from_zero({{1, 100000, 999}, {0, 1000, 1}}), 1000U);
    EXPECT_EQ(ids_from_zero({{0, 1000, 1}, {1, 100000, 9}, {65534, 100009, 1}}), 10U);
    EXPECT_EQ(ids_from_zero({{0, 0, 4294967295U}}), kAllIds);
}

TEST(IdMap, ANestedNamespaceHasTheSameIds) {
    EXPECT_EQ(identity_of({{0, 1000, 1}, {1, 100000, 65535}}), (IdMap{{0, 0, 1}, {1, 1, 65535}}));
}

TEST(IdMap, SubordinateRangesAreGivenByNameOrNumber) {
    constexpr auto kText =
        "ann:100000:65536\nbob:165536:65536\n1000:300000:10\n ann:400000:5 \nann:x:1\nann:7:0\nann:1\n";
    EXPECT_EQ(subordinate_ranges(kText, "ann", 1000), (IdMap{{0, 100000, 65536}, {0, 300000, 10}, {0, 400000, 5}}));
    EXPECT_EQ(subordinate_ranges(kText, "bob", 1001), (IdMap{{0, 165536, 65536}}));
    EXPECT_EQ(subordinate_ranges(kText, "eve", 1002), IdMap{});
}

TEST(IdMap, OwnIdIsRootAndSubordinatesFollow) {
    EXPECT_EQ(map_with_subordinates(1000, {{0, 100000, 65536}}), (IdMap{{0, 1000, 1}, {1, 100000, 65535}}));
    EXPECT_EQ(map_with_subordinates(1000, {{0, 100000, 1000}, {0, 200000, 70000}}),
              (IdMap{{0, 1000, 1}, {1, 100000, 1000}, {1001, 200000, 64535}}));
    EXPECT_EQ(map_with_subordinates(1000, {}), (IdMap{{0, 1000, 1}}));
}

TEST(IdMap, TheLastOfFewIdsIsNobody) {
    EXPECT_EQ(map_with_subordinates(1000, {{0, 100000, 5000}}),
              (IdMap{{0, 1000, 1}, {1, 100000, 4999}, {65534, 104999, 1}}));
    EXPECT_EQ(map_with_subordinates(1000, {{0, 100000, 1}}), (IdMap{{0, 1000, 1}, {65534, 100000, 1}}));
}

TEST(IdMap, NoIdIsMappedTwice) {
    EXPECT_EQ(map_with_subordinates(1000, {{0, 999, 70000}}), (IdMap{{0, 1000, 1}, {1, 999, 1}, {2, 1001, 65534}}));
}

}  // namespace
}  // namespace vprov::os
