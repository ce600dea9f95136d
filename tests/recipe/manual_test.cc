#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "base/text.h"
#include "os/fd.h"
#include "recipe/recipe.h"

namespace vprov::recipe {
namespace {

// "[system.kernel]" to "system.kernel", "[[disk]]" to "disk".
std::string table_of(std::string_view heading) {
    while (heading.starts_with('[')) heading.remove_prefix(1);
    while (heading.ends_with(']')) heading.remove_suffix(1);
    return std::string(heading);
}

// The keys that vprov-recipe(5) describes, "TABLE.KEY" each: the tagged paragraphs below the headings of tables.
std::set<std::string> described_keys() {
    std::set<std::string> keys;
    std::string prefix;
    bool is_in_table = false, is_tag = false;
    const auto manual = os::read_file(std::filesystem::path(VPROV_SOURCE_DIR) / "man/vprov-recipe.5");
    for (const auto line : split(manual, '\n')) {
        if (line.starts_with(".SH "))
            is_in_table = false;
        if (line.starts_with(".SS ")) {
            const auto heading = line.substr(4);
            is_in_table = heading.starts_with('[') || heading == "\"Top level\"" || heading == "Passwords";
            prefix = heading.starts_with('[') ? table_of(heading) + "." : heading == "Passwords" ? "PASSWORD." : "";
        }
        // ".BR KEY ..." after ".TP"; ".B WORD" is a value, not a key
        if (is_in_table && is_tag && line.starts_with(".BR "))
            keys.insert(prefix + std::string(split_words(line)[1]));
        is_tag = line == ".TP";
    }
    return keys;
}

// known_keys() without those that are tables, and with one name for the two places of passwords.
std::set<std::string> read_keys() {
    std::set<std::string> keys;
    const auto all = known_keys();
    for (auto key : all) {
        for (const std::string password : {"identity.root_password.", "identity.user.password."})
            if (key.starts_with(password))
                key = "PASSWORD." + key.substr(password.size());
        const bool is_password = key == "identity.root_password" || key == "identity.user.password";
        const bool is_table =
            std::any_of(all.begin(), all.end(), [&](const std::string& other) { return other.starts_with(key + "."); });
        if (is_password || !is_table)
            keys.insert(key);
    }
    return keys;
}

TEST(Manual, DescribesEveryKeyAndNoOther) {
    const auto keys = read_keys();
    EXPECT_GT(keys.size(), 50U);
    EXPECT_TRUE(keys.contains("system.kernel.cmdline"));
    EXPECT_EQ(described_keys(), keys);
}

}  // namespace
}  // namespace vprov::recipe
