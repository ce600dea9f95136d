// Why a request cannot be had: the nearest reason, by the shortest way to it.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>

#include "base/text.h"
#include "resolve/archive.h"

namespace vprov::resolve {
namespace {

TEST(Explain, TheNearestReasonIsGiven) {
    TestArchive archive;
    archive.add("sid", R"(a 1
                          Depends: long1, short
                          long1 1
                          Depends: long2
                          long2 1
                          Depends: gone1
                          short 1
                          Depends: gone2
                          b 1
                          Depends: gone3)");
    EXPECT_EQ(
        archive.choose({"a"}),
        "cannot satisfy 'gone2': no package of that name is available; wanted by short, wanted by a, wanted by the "
        "recipe");
    EXPECT_EQ(archive.choose({"a", "b"}),
              "cannot satisfy 'gone3': no package of that name is available; wanted by b, wanted by the recipe");
}

TEST(Explain, TheShortestWayToEachSideOfAConflict) {
    TestArchive archive;
    archive.add("sid", R"(base 1
                          Essential: yes
                          Depends: step
                          step 1
                          Depends: lib
                          lib 1
                          Conflicts: enemy
                          direct 1
                          Depends: lib
                          friend 1
                          Depends: ally | other
                          ally 1
                          Depends: enemy
                          other 1
                          Depends: enemy
                          enemy 1)");
    EXPECT_EQ(
        archive.choose({"direct", "friend"}),
        "cannot install 'lib' together with 'enemy': lib 1 conflicts with enemy; lib is wanted by direct, wanted by "
        "the recipe; enemy is wanted by ally, wanted by friend, wanted by the recipe");
}

struct Random {
    std::map<unsigned, std::vector<unsigned>> needs;
    std::map<unsigned, bool> lacks;
    std::string text;
};

// Packages p0 to p14; each needs some of those after it, and one in seven something that is not there.
Random random_archive(unsigned seed) {
    std::mt19937 engine(seed);
    const auto dice = [&](unsigned sides) { return static_cast<unsigned>(engine() % sides); };
    Random made;
    for (unsigned i = 0; i < 15; ++i) {
        made.text += fmt::format("p{} 1\n", i);
        std::vector<std::string> depends;
        for (unsigned j = i + 1; j < 15; ++j)
            if (dice(5) == 0) {
                made.needs[i].push_back(j);
                depends.push_back(fmt::format("p{}", j));
            }
        if (i > 1 && (made.lacks[i] = dice(7) == 0))
            depends.insert(depends.begin() + dice(static_cast<unsigned>(depends.size()) + 1), "gone");
        if (!depends.empty())
            made.text += fmt::format("Depends: {}\n", joined(depends, ", "));
    }
    return made;
}

// How many packages are on the shortest way from p0 or p1 to one that lacks something; 0 where none is.
unsigned shortest(const Random& archive) {
    std::map<unsigned, unsigned> length = {{0, 1}, {1, 1}};
    for (std::deque<unsigned> open = {0, 1}; !open.empty(); open.pop_front()) {
        const auto at = open.front();
        if (archive.lacks.contains(at) && archive.lacks.at(at))
            return length.at(at);
        if (archive.needs.contains(at))
            for (const auto next : archive.needs.at(at))
                if (length.emplace(next, length.at(at) + 1).second)
                    open.push_back(next);
    }
    return 0;
}

TEST(Explain, NoWayIsShorterThanTheOneShown) {
    unsigned refused = 0;
    for (unsigned seed = 0; seed < 300; ++seed) {
        const auto random = random_archive(seed);
        TestArchive archive;
        archive.add("sid", random.text);
        const auto said = archive.choose({"p0", "p1"});
        const auto expected = shortest(random);
        unsigned shown = 0;
        for (auto at = said.find(" wanted by p"); at != std::string::npos; at = said.find(" wanted by p", at + 1))
            ++shown;
        EXPECT_EQ(shown, expected) << "seed " << seed << ": " << said;
        EXPECT_EQ(said.starts_with("cannot satisfy 'gone': no package of that name is available;"), expected > 0)
            << said;
        refused += expected > 0 ? 1 : 0;
    }
    EXPECT_GT(refused, 100U);
    EXPECT_LT(refused, 290U);
}

}  // namespace
}  // namespace vprov::resolve
