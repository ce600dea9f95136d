// Requests for which apt's way leads nowhere, although there is a solution.
#include <gtest/gtest.h>

#include "base/text.h"
#include "bootstrap/resolve/clauses.h"
#include "resolve/archive.h"

namespace vprov::resolve {
namespace {

std::string deviation(const TestArchive& archive, const std::vector<std::string>& include) {
    Request request;
    request.variant = Variant::essential;
    request.include = include;
    const auto set = resolve(archive.index(), request);
    if (!set.deviation)
        return "none";
    return fmt::format("{}; taken: {}; left out: {}", set.deviation->cause, joined(set.deviation->taken, " "),
                       joined(set.deviation->left_out, " "));
}

// apt takes the first alternative of the first package, and does not come back to it when a later one forbids it two
// steps further down.
TestArchive late_conflict() {
    TestArchive archive;
    archive.add("sid", R"(app 1
                          Depends: first | second
                          first 1
                          Depends: first-data
                          first-data 1
                          second 1
                          tool 1
                          Depends: tool-core
                          tool-core 1
                          Depends: tool-impl | tool-other
                          tool-impl 1
                          Conflicts: first-data
                          tool-other 1
                          Conflicts: first-data)");
    return archive;
}

TEST(Fallback, ASolutionIsFoundWhereThereIsOne) {
    EXPECT_EQ(late_conflict().choose({"app", "tool"}), "app=1 second=1* tool=1 tool-core=1* tool-impl=1*");
}

TEST(Fallback, WhereAptFindsItNothingIsSearched) {
    EXPECT_EQ(deviation(late_conflict(), {"app"}), "none");
    EXPECT_EQ(deviation(late_conflict(), {"tool"}), "none");
}

TEST(Fallback, AnotherVersionIsTheLastResort) {
    TestArchive archive;
    archive.add("sid", R"(app 1
                          Depends: lib (<< 2)
                          lib 2)");
    EXPECT_EQ(archive.choose({"app"}),
              "cannot satisfy 'lib (<< 2)': only 2 is available; wanted by app, wanted by the recipe");
    archive.add("old", R"(lib 1)");
    EXPECT_EQ(archive.choose({"app"}), "app=1 lib=1*");
    EXPECT_EQ(deviation(archive, {"app"}),
              "cannot satisfy 'lib (<< 2)': 2 from sid has precedence over 1 from old; wanted by app, wanted by the "
              "recipe; taken: lib; left out: ");
    EXPECT_EQ(archive.choose({"app", "lib=2"}),
              "cannot satisfy 'lib (<< 2)': 2 from sid has precedence over 1 from old; wanted by app, wanted by the "
              "recipe");
}

TEST(Fallback, WhatCannotBeIsRefusedAsBefore) {
    TestArchive archive;
    archive.add("sid", R"(a 1
                          Depends: c1 | c2
                          b 1
                          Conflicts: c1, c2
                          c1 1
                          c2 1)");
    EXPECT_NE(archive.choose({"a", "b"}).find("cannot "), std::string::npos);
}

TEST(Clauses, DecideInTheOrderOfTheDemands) {
    Clauses clauses;
    for (int i = 0; i < 4; ++i) clauses.new_variable();
    clauses.add_demand({0});
    clauses.add_demand(0, {1, 2});
    EXPECT_TRUE(clauses.solve(100));
    EXPECT_TRUE(clauses.holds(1));
    EXPECT_FALSE(clauses.holds(2));
    EXPECT_FALSE(clauses.holds(3));
}

// Five pigeons do not fit into four holes; five do into five.
TEST(Clauses, TellWhatCannotBe) {
    for (const std::uint32_t holes : {4U, 5U}) {
        Clauses clauses;
        for (std::uint32_t i = 0; i < 5 * holes; ++i) clauses.new_variable();
        for (std::uint32_t pigeon = 0; pigeon < 5; ++pigeon) {
            std::vector<std::uint32_t> places;
            for (std::uint32_t hole = 0; hole < holes; ++hole) places.push_back(pigeon * holes + hole);
            clauses.add_demand(places);
        }
        for (std::uint32_t hole = 0; hole < holes; ++hole)
            for (std::uint32_t a = 0; a < 5; ++a)
                for (std::uint32_t b = 0; b < a; ++b)
                    clauses.add({Literal::no(a * holes + hole), Literal::no(b * holes + hole)});
        EXPECT_EQ(clauses.solve(10000), holes == 5);
    }
}

}  // namespace
}  // namespace vprov::resolve
