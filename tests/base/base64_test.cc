#include "base/base64.h"

#include <gtest/gtest.h>

namespace vprov {
namespace {

TEST(Base64, HasTheVectorsOfTheRfc) {
    EXPECT_EQ(encode_base64(""), "");
    EXPECT_EQ(encode_base64("f"), "Zg==");
    EXPECT_EQ(encode_base64("fo"), "Zm8=");
    EXPECT_EQ(encode_base64("foo"), "Zm9v");
    EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(encode_base64(std::string(2, '\0') + "\xff"), "AAD/");
}

}  // namespace
}  // namespace vprov
