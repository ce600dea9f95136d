#include <gtest/gtest.h>

#include "mistakes.h"

namespace vprov::recipe {
namespace {

Recipe with(const std::vector<std::string>& overrides) {
    return parse(kGood, "g1.toml", overrides);
}

TEST(Override, ReplacesWhatIsThereAndMakesWhatIsMissing) {
    const auto recipe = with({"system.suite=trixie", "disk.0.size=4G", "domain.vcpus=3", "system.updates=false",
                              "system.include=[\"vim\", \"curl\"]", "system.include.2=nano"});
    EXPECT_EQ(recipe.system.suite, "trixie");
    EXPECT_EQ(recipe.disks[0].size, 4_GiB);
    EXPECT_EQ(recipe.domain.vcpus, 3U);
    EXPECT_FALSE(recipe.system.updates);
    EXPECT_EQ(recipe.system.include, (std::vector<std::string>{"vim", "curl", "nano"}));
}

TEST(Override, AddsToListsOfTables) {
    const auto recipe = with({"disk.1.size=64M", "disk.1.filesystem=swap", "network.0.bridge=br1"});
    ASSERT_EQ(recipe.disks.size(), 2U);
    EXPECT_EQ(recipe.disks[1].filesystem, Filesystem::swap);
    ASSERT_EQ(recipe.networks.size(), 1U);
    EXPECT_EQ(recipe.networks[0].bridge, "br1");
}

TEST(Override, ValuesAreTomlOrElseBareStrings) {
    EXPECT_EQ(with({"seed=\"a b\""}).seed, "a b");
    EXPECT_EQ(with({"seed=a b"}).seed, "a b");
    EXPECT_EQ(with({"seed="}).seed, "");
    EXPECT_EQ(with({"seed=\"\""}).seed, "");
    EXPECT_EQ(with({"seed=x=y"}).seed, "x=y");
    EXPECT_EQ(with({"seed=1979-05-27"}).seed, "1979-05-27") << "a string is wanted, so the date is text";
    EXPECT_EQ(with({"identity.hostname=123"}).identity.hostname, "123");
    EXPECT_EQ(with({"identity.root_password={ random = true }"}).identity.root_password,
              (Password{Password::Source::random, ""}));
    EXPECT_EQ(mistakes(kGood, {"seed=1\nname = \"evil\""}),  // a value cannot bring keys of its own
              "--set 'seed=1\\nname = \"evil\"': cannot use '1\\nname = \"evil\"' as seed: it has a control character");
}

TEST(Override, TheLastOneCounts) {
    EXPECT_EQ(with({"seed=a", "seed=b"}).seed, "b");
}

TEST(Override, MistakesNameTheOverride) {
    EXPECT_EQ(
        mistakes_after_good("colour = 1\n", {"system.suit=x", "disk.0.size=2X", "domain.vcpus=two"}),
        "g1.toml:6:1: cannot use key 'colour' in [[disk]]: unknown\n"
        "--set system.suit=x: cannot use key 'suit' in [system]: unknown; did you mean 'suite'?\n"
        "--set disk.0.size=2X: cannot use '2X' as [[disk]] size: a size is wanted: a number with K, M, G or T, as in "
        "\"512M\"\n"
        "--set domain.vcpus=two: cannot use 'two' as [domain] vcpus: an integer is wanted");
    EXPECT_EQ(
        mistakes(kGood, {"name=a\nb"}),
        "--set 'name=a\\nb': cannot use 'a\\nb' as name: a name is 1 to 63 letters, digits, '.', '_', '+' or '-', and "
        "starts with a letter or digit");
}

TEST(Override, KeysThatLeadNowhereAreTold) {
    EXPECT_EQ(mistakes(kGood, {"system"}), "--set system: cannot set a key: KEY=VALUE is wanted");
    EXPECT_EQ(mistakes(kGood, {"system..suite=x"}),
              "--set system..suite=x: cannot set a key: KEY is words with dots between them, as in system.suite or "
              "disk.0.size");
    EXPECT_EQ(mistakes(kGood, {"=x"}),
              "--set =x: cannot set a key: KEY is words with dots between them, as in system.suite or disk.0.size");
    EXPECT_EQ(mistakes(kGood, {"disk.size=1G"}),
              "--set disk.size=1G: cannot set a key: 'disk' is a list: its items are named by number, as disk.0");
    EXPECT_EQ(mistakes(kGood, {"disk.2.size=1G"}), "--set disk.2.size=1G: cannot set a key: 'disk' has 1 item");
    EXPECT_EQ(mistakes(kGood, {"name.first=x"}), "--set name.first=x: cannot set a key: 'name' has no keys");
}

}  // namespace
}  // namespace vprov::recipe
