#include <gtest/gtest.h>

#include <array>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/uuid.h"

namespace vprov {
namespace {

TEST(Bytes, ReadsPowersOf1024AndNothingElse) {
    EXPECT_EQ(parse_bytes("2G"), Bytes{2147483648});
    EXPECT_EQ(parse_bytes("512"), Bytes{512});
    for (const auto* wrong : {"", "G", "2g", "2GB", "-1", "1.5G", " 1", "9000000T", "99999999999999999999"})
        EXPECT_EQ(parse_bytes(wrong), std::nullopt) << wrong;
}

TEST(Bytes, ExactFormReadsBack) {
    for (const std::uint64_t value : {0ULL, 1000ULL, 1024ULL, 1536ULL << 20, 2ULL << 30, 1ULL << 40, 5ULL << 50})
        EXPECT_EQ(parse_bytes(exact({value})), Bytes{value}) << exact({value});
}

TEST(Bytes, HumanFormIsThatOfApt) {
    EXPECT_EQ(human({97}), "97 B");
    EXPECT_EQ(human({84234567}), "84.2 MB");
    EXPECT_EQ(human({312000}), "312 kB");
}

TEST(Text, QuotedIsOneLineWhateverComesIn) {
    EXPECT_EQ(quote("a\nb\x1b[1m"), "'a\\nb\\x1b[1m'");
}

TEST(Text, ShellLineCanBePasted) {
    const std::vector<std::string> argv = {"mke2fs", "-L", "it's", "", "/a-b_c.img"};
    EXPECT_EQ(shell_line(argv), "mke2fs -L 'it'\\''s' '' /a-b_c.img");
}

TEST(Text, NearestFindsATypoAndNoStranger) {
    constexpr std::array<std::string_view, 4> kKeys = {"hostname", "timezone", "locale", "suite"};
    EXPECT_EQ(nearest("timezon", kKeys), "timezone");
    EXPECT_EQ(nearest("hsotname", kKeys), "hostname");
    EXPECT_EQ(nearest("suiet", kKeys), "suite");
    EXPECT_EQ(nearest("memory", kKeys), "");
}

TEST(Text, LastLines) {
    EXPECT_EQ(last_lines("a\nb\nc\n", 2), "b\nc");
    EXPECT_EQ(last_lines("a", 5), "a");
    EXPECT_EQ(last_lines("", 5), "");
}

TEST(Digest, KnownAnswers) {
    EXPECT_EQ(sha256("abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(md5_hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(Sha256Digest::from_hex(sha256("abc").hex()), sha256("abc"));
    EXPECT_EQ(Sha256Digest::from_hex("ba78"), std::nullopt);
    EXPECT_EQ(Sha256Digest::from_hex(std::string(64, 'g')), std::nullopt);
}

TEST(Uuid, TheSameForTheSameAndVersionEight) {
    const auto uuid = Uuid::derived("debian1", "disk root");
    EXPECT_EQ(uuid, Uuid::derived("debian1", "disk root"));
    EXPECT_NE(uuid, Uuid::derived("debian1", "disk swap"));
    EXPECT_EQ(uuid.text().size(), 36U);
    EXPECT_EQ(uuid.text()[14], '8');
}

}  // namespace
}  // namespace vprov
