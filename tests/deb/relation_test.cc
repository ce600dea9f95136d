#include "bootstrap/deb/relation.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vprov::deb {
namespace {

TEST(Relation, EveryForm) {
    using enum VersionOperator;
    EXPECT_EQ(read_relations(
                  "a,b (>= 1:2-3) , c|d:any(<<2)|\n e:native ( = 1 ), f (< 1), g (> 1), h (<= 1), i (>> 1), j (1)"),
              (std::vector<Relation>{{"a", "", none, "", false},
                                     {"b", "", greater_equal, "1:2-3", false},
                                     {"c", "", none, "", true},
                                     {"d", "any", less, "2", true},
                                     {"e", "native", equal, "1", false},
                                     {"f", "", less_equal, "1", false},
                                     {"g", "", greater_equal, "1", false},
                                     {"h", "", less_equal, "1", false},
                                     {"i", "", greater, "1", false},
                                     {"j", "", equal, "1", false}}));
    EXPECT_EQ(read_relations("a [amd64 !i386] <!nocheck> <stage1>, b (>= 2) [linux-any] | c"),
              (std::vector<Relation>{
                  {"a", "", none, "", false}, {"b", "", greater_equal, "2", true}, {"c", "", none, "", false}}));
    EXPECT_TRUE(read_relations("").empty());
    EXPECT_TRUE(read_relations(" \n").empty());
    EXPECT_EQ(read_relations("a,").size(), 1U);
}

TEST(Relation, AsText) {
    const auto relations = read_relations("a(<2),b:any,c ( << 1 )");
    EXPECT_EQ(to_string(relations[0]), "a (<= 2)");
    EXPECT_EQ(to_string(relations[1]), "b:any");
    EXPECT_EQ(to_string(relations[2]), "c (<< 1)");
}

TEST(Relation, Satisfies) {
    const auto is_met = [](std::string_view version, std::string_view field) {
        return satisfies(version, read_relations(field).at(0));
    };
    EXPECT_TRUE(is_met("1.0", "a"));
    EXPECT_TRUE(is_met("1.0", "a (= 1.0-0)"));
    EXPECT_FALSE(is_met("1.0~rc1", "a (>= 1.0)"));
    EXPECT_TRUE(is_met("1.0~rc1", "a (>= 1.0~)"));
    EXPECT_TRUE(is_met("1.0~rc1", "a (<< 1.0)"));
    EXPECT_FALSE(is_met("1.0", "a (<< 1.0)"));
    EXPECT_FALSE(is_met("1.0", "a (>> 1.0)"));
    EXPECT_TRUE(is_met("1.0-1", "a (>> 1.0)"));
    EXPECT_TRUE(is_met("1.0", "a (<= 1.0)"));
}

TEST(Relation, MalformedTextIsAnError) {
    const auto failure = [](std::string_view field) -> std::string {
        try {
            read_relations(field);
        } catch (const Error& e) {
            return e.message();
        }
        return "";
    };
    EXPECT_EQ(failure("a (>= 1"), "cannot read relation 'a (>= 1': a '(' is not closed");
    EXPECT_EQ(failure("a (>= )"), "cannot read relation 'a (>= )': '' is not a version");
    EXPECT_EQ(failure("a (>= 1 2)"), "cannot read relation 'a (>= 1 2)': '1 2' is not a version");
    EXPECT_EQ(failure("a b"), "cannot read relation 'a b': 'b' stands where ',' or '|' should");
    EXPECT_EQ(failure("a,,b"), "cannot read relation 'a,,b': a name is missing");
    EXPECT_EQ(failure("a|"), "cannot read relation 'a|': nothing follows the '|'");
    EXPECT_EQ(failure("|a"), "cannot read relation '|a': a name is missing");
    EXPECT_EQ(failure("a [amd64"), "cannot read relation 'a [amd64': a restriction is not closed");
    EXPECT_EQ(failure(":any"), "cannot read relation ':any': a name is missing");
}

}  // namespace
}  // namespace vprov::deb
