#include "bootstrap/archive/decompress.h"

#include <gtest/gtest.h>

#include "archive/message.h"
#include "archive/mirror.h"

namespace vprov::archive {
namespace {

TEST(Decompress, EveryForm) {
    std::string text;
    for (int i = 0; i < 20000; ++i) text += fmt::format("Package: p{}\n", i);
    for (const std::string suffix : {".xz", ".gz", ".zst", ""})
        EXPECT_EQ(decompressed(compressed(text, suffix), "main/binary-amd64/Packages" + suffix, Bytes{text.size()},
                               Bytes{text.size()}),
                  text)
            << suffix;
    EXPECT_EQ(decompressed(compressed(text, ".gz"), "Packages.gz", 1_KiB, 10_MiB), text) << "a size that is a guess";
}

TEST(Decompress, NothingIsNothing) {
    for (const std::string suffix : {".xz", ".gz", ".zst", ""})
        EXPECT_EQ(decompressed(compressed("", suffix), "Packages" + suffix, Bytes{0}, Bytes{0}), "") << suffix;
}

TEST(Decompress, StopsWhereThereIsMoreThanAllowed) {
    const auto bomb = compressed(std::string(100 << 20, '\0'), ".xz");
    EXPECT_EQ(message_of([&] { decompressed(bomb, "Packages.xz", 1_MiB, 1_MiB); }),
              "it decompresses to more than 1048576 bytes");
    EXPECT_EQ(message_of([] { decompressed("abc", "Packages", Bytes{2}, Bytes{2}); }),
              "it has more than the 2 bytes it should have");
}

TEST(Decompress, SaysWhatIsDamaged) {
    auto data = compressed(std::string(5000, 'x'), ".xz");
    const auto truncated = data.substr(0, data.size() - 20);
    const auto message = message_of([&] { decompressed(truncated, "Packages.xz", 5_KiB, 5_KiB); });
    EXPECT_EQ(message.substr(0, 24), "it does not decompress: ") << "the rest is libarchive's";
    EXPECT_EQ(message_of([&] { decompressed(data, "Packages.gz", 5_KiB, 5_KiB); }),
              "it is not compressed as its name says");
}

}  // namespace
}  // namespace vprov::archive
