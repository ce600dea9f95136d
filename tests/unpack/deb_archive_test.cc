#include "bootstrap/unpack/deb_archive.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "unpack/made_deb.h"

namespace vprov::unpack {
namespace {

std::string refusal(const std::string& bytes) {
    try {
        find_deb_members(bytes);
    } catch (const Error& e) {
        return e.message();
    }
    return "accepted";
}

TEST(DebArchive, FindsBothMembersWhateverTheirCompression) {
    const auto deb =
        make_ar({{"debian-binary", "2.0\n"}, {"control.tar.xz", "C"}, {"_extra", "x"}, {"data.tar.zst/", "DD"}});
    const auto members = find_deb_members(deb);
    EXPECT_EQ(members.control, "C");
    EXPECT_EQ(members.data, "DD");
}

TEST(DebArchive, RefusesWhatIsNoPackage) {
    EXPECT_EQ(refusal("PK\3\4"), "not an ar archive");
    EXPECT_EQ(refusal(make_ar({{"control.tar.gz", "C"}, {"data.tar.gz", "D"}})),
              "it does not start with debian-binary 2.x");
    EXPECT_EQ(refusal(make_ar({{"debian-binary", "3.0\n"}})), "it does not start with debian-binary 2.x");
    EXPECT_EQ(refusal(make_ar({{"debian-binary", "2.0\n"}, {"control.tar.gz", "C"}})), "it has no data.tar");
    auto cut = make_ar({{"debian-binary", "2.0\n"}, {"control.tar.gz", std::string(100, 'c')}});
    EXPECT_EQ(refusal(cut.substr(0, cut.size() - 10)), "it ends in the middle of member 'control.tar.gz'");
    cut[8 + 58] = 'x';
    EXPECT_EQ(refusal(cut), "a damaged ar header");
}

TEST(DebArchive, NoPrefixAndNoFlippedByteBreaksTheReader) {
    const auto deb = make_ar({{"debian-binary", "2.0\n"}, {"control.tar.gz", "CCC"}, {"data.tar.gz", "DDDD"}});
    for (std::size_t i = 0; i < deb.size(); ++i) {
        refusal(deb.substr(0, i));
        auto flipped = deb;
        flipped[i] = static_cast<char>(flipped[i] ^ 0x15);
        refusal(flipped);
    }
}

}  // namespace
}  // namespace vprov::unpack
