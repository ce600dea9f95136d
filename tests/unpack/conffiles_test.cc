#include "bootstrap/unpack/conffiles.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vprov::unpack {
namespace {

TEST(Conffiles, FlagsAndBlanks) {
    const std::vector<Conffile> expected = {{"/etc/a"}, {"/etc/b c"}, {"/etc/old", true}};
    EXPECT_EQ(read_conffiles("/etc/a\n/etc/b c  \n\nremove-on-upgrade /etc/old\n"), expected);
    EXPECT_TRUE(read_conffiles("").empty());
}

TEST(Conffiles, RefusesWhatDpkgWouldRefuse) {
    for (const auto* text : {"etc/a\n", "remove-on-upgrade\n", "remove /etc/a\n"}) {
        try {
            read_conffiles(text);
            FAIL() << text;
        } catch (const Error& e) {
            EXPECT_EQ(e.message(),
                      "its conffiles has a line '" + std::string(text, std::string(text).size() - 1) + "'");
        }
    }
}

}  // namespace
}  // namespace vprov::unpack
