#include "bootstrap/unpack/stat_overrides.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vprov::unpack {
namespace {

constexpr const char* kPasswd = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/bin/false\n";
constexpr const char* kGroup = "root:x:0:\nshadow:x:42:\n";

std::string refusal(std::string_view text) {
    try {
        read_stat_overrides(text, kPasswd, kGroup);
    } catch (const Error& e) {
        return e.message();
    }
    return "accepted";
}

TEST(StatOverrides, NamesNumbersAndBlanksInPaths) {
    const auto found = read_stat_overrides("root shadow 2755 /usr/bin/x\n#7 #8 0640 /srv/a b\n", kPasswd, kGroup);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found.at("/usr/bin/x"), (StatOverride{0, 42, 02755}));
    EXPECT_EQ(found.at("/srv/a b"), (StatOverride{7, 8, 0640}));
    EXPECT_TRUE(read_stat_overrides("", "", "").empty());
}

TEST(StatOverrides, RefusesWhatDpkgRefuses) {
    EXPECT_EQ(refusal("nobody root 755 /f\n"), "the statoverride file has a user 'nobody' that the tree does not know");
    EXPECT_EQ(refusal("root www-data 755 /f\n"),
              "the statoverride file has a group 'www-data' that the tree does not know");
    EXPECT_EQ(refusal("root root 9 /f\n"), "the statoverride file has a line 'root root 9 /f'");
    EXPECT_EQ(refusal("root root 755\n"), "the statoverride file has a line 'root root 755'");
}

}  // namespace
}  // namespace vprov::unpack
