#include "bootstrap/archive/clear_signed.h"

#include <gtest/gtest.h>

#include <random>

#include "archive/message.h"

namespace vprov::archive {
namespace {

constexpr std::string_view kSigned =
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: x\n- -dash\n-----BEGIN PGP SIGNATURE-----\n\nabcd\n"
    "-----END PGP SIGNATURE-----\n";

std::string check(const std::string& text) {
    return message_of([&] { check_clear_signed(text); });
}

TEST(ClearSigned, IsTheWholeFile) {
    const std::string good(kSigned);
    EXPECT_EQ(check(good), "no error");
    EXPECT_EQ(check(good.substr(0, good.size() - 1)), "no error");
    EXPECT_EQ(check("Origin: evil\n" + good), "there is text before its signed block");
    EXPECT_EQ(check("\n" + good), "there is text before its signed block");
    EXPECT_EQ(check(good + "Origin: evil\n"), "there is text after its signed block");
    EXPECT_EQ(check(good + "\n"), "there is text after its signed block");
    EXPECT_EQ(check(good + good), "there is text after its signed block");
    EXPECT_EQ(check("-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n" + good), "it has more than one signed block");
    EXPECT_EQ(check("-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n-----BEGIN PGP SIGNATURE-----\n\n"
                    "-----BEGIN PGP SIGNATURE-----\n"),
              "it has more than one signature block");
    EXPECT_EQ(check("-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n"), "its signed block has no end");
    EXPECT_EQ(check("<html>Please log in</html>\n"), "it is not signed");
    EXPECT_EQ(check(""), "it is not signed");
}

// Whatever bytes a mirror sends, the answer is a text or an Error.
TEST(ClearSigned, DamagedInputEndsInAnErrorOrInText) {
    std::mt19937 random(1);
    const std::string good = std::string(kSigned) + "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nSGVsbG8s\n";
    std::size_t refused = 0;
    for (int round = 0; round < 3000; ++round) {
        auto text = good.substr(0, random() % (good.size() + 1));
        for (int i = 0; i < 4 && !text.empty(); ++i) text[random() % text.size()] = static_cast<char>(random() % 256);
        refused += message_of([&] { check_clear_signed(text); }) != "no error" ? 1 : 0;
        EXPECT_LE(clear_text(text).size(), text.size() + 1);
    }
    EXPECT_EQ(refused, 3000U) << "no prefix of the input is one clear-signed message";
}

TEST(ClearSigned, TextIsWithoutHeadersAndDashEscapes) {
    EXPECT_EQ(clear_text(kSigned), "Origin: x\n-dash\n");
}

}  // namespace
}  // namespace vprov::archive
