#include "base/public_keys.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"

namespace vprov {
namespace {

template <class Call>
std::string message_of(Call&& call) {
    try {
        call();
    } catch (const Error& e) {
        return e.kind() == ErrorKind::archive ? e.message() : "another kind of error: " + e.message();
    }
    return "no error";
}

TEST(PublicKeys, GivesTheBytesOfEveryBlock) {
    const std::string block =
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\nSGVsbG8s\nIHdvcmxkIQ==\n=AoBb\n"
        "-----END PGP PUBLIC KEY BLOCK-----\n";
    EXPECT_EQ(message_of([&] { dearmour(block); }), "cannot read the armoured keyring: its checksum is wrong");
    auto without_sum = block;
    without_sum.erase(without_sum.find("=AoBb"), 6);
    EXPECT_EQ(dearmour(without_sum), "Hello, world!");
    EXPECT_EQ(dearmour("# a comment\n" + without_sum + "\n" + without_sum), "Hello, world!Hello, world!");
    EXPECT_TRUE(is_armoured_keyring(block));
    EXPECT_FALSE(is_armoured_keyring("\x99\x01"));
    EXPECT_EQ(message_of([] { dearmour("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nSGVs\n"); }),
              "cannot read the armoured keyring: it ends within a block");
    EXPECT_EQ(message_of([] {
                  dearmour("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nSG?s\n-----END PGP PUBLIC KEY BLOCK-----\n");
              }),
              "cannot read the armoured keyring: '?' is not base64");
}

TEST(PublicKeys, BlanksAroundLinesDoNotCount) {
    EXPECT_EQ(
        dearmour(" -----BEGIN PGP PUBLIC KEY BLOCK-----\r\n \n SGVs\t\n bG8=\n -----END PGP PUBLIC KEY BLOCK-----\n"),
        "Hello");
}

TEST(PublicKeys, DamagedInputEndsInAnErrorOrInBytes) {
    std::mt19937 random(1);
    const std::string good =
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmAEDmAAA\nmQACBAQ=\n-----END PGP PUBLIC KEY BLOCK-----\n";
    for (int round = 0; round < 3000; ++round) {
        auto text = good.substr(0, random() % (good.size() + 1));
        for (int i = 0; i < 4 && !text.empty(); ++i) text[random() % text.size()] = static_cast<char>(random() % 256);
        message_of([&] { EXPECT_LE(dearmour(text).size(), text.size()); });
        EXPECT_FALSE(share_a_key(text, "\x98\x02no"));
    }
}

using namespace std::string_literals;

TEST(PublicKeys, PrimaryKeysAreCompared) {
    const auto old_format = "\x98\x03one"s;
    EXPECT_TRUE(share_a_key(old_format, old_format));
    EXPECT_TRUE(share_a_key("\x99\0\x03two"s + old_format, old_format)) << "a length of two octets";
    EXPECT_TRUE(share_a_key("\x9a\0\0\0\x03one"s, old_format)) << "and of four";
    EXPECT_TRUE(share_a_key("\xc6\x03one"s, old_format)) << "the new format";
    EXPECT_TRUE(share_a_key("\xc6\xff\0\0\0\x03one"s, old_format)) << "and its longest length";
    const std::string body(500, 'k');
    EXPECT_TRUE(share_a_key("\xc6\xc1\x34"s + body, "\x99\x01\xf4"s + body)) << "(0xc1 - 192) * 256 + 0x34 + 192 = 500";
    EXPECT_TRUE(share_a_key("\xb4\x04name\x88\x01s"s + old_format, old_format)) << "user ids and signatures between";
    EXPECT_FALSE(share_a_key("\x98\x03two"s, old_format));
    EXPECT_FALSE(share_a_key("\xb8\x03one"s, "\xb8\x03one"s)) << "a subkey is no primary key";
    EXPECT_FALSE(share_a_key("", ""));
    EXPECT_FALSE(share_a_key("one", "one"));
    EXPECT_FALSE(share_a_key("\x98\x04one"s, "\x98\x04one"s)) << "it is cut off";
    EXPECT_FALSE(
        share_a_key("\x9b"
                    "one"s,
                    "\x9b"
                    "one"s))
        << "no length";
    EXPECT_FALSE(
        share_a_key("\xc6\xe1"
                    "one"s,
                    "\xc6\xe1"
                    "one"s))
        << "a part of a packet";
}

}  // namespace
}  // namespace vprov
