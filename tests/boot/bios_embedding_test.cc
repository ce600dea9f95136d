#include "partition/boot/bios_embedding.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "os/fd.h"
#include "os/temp_dir.h"
#include "partition/boot/embed.h"

namespace vprov::partition {
namespace {

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& e) {
        return e.message();
    }
    return "none";
}

// A sector of `fill` that ends as boot sectors do.
std::string boot_img(char fill = 'B') {
    return std::string(510, fill) + "\x55\xaa";
}

// `size` bytes, as grub-mkimage leaves them: the block list says sector 2 and all that follow.
std::string core_img(std::size_t size) {
    std::string core(size, 'C');
    core.replace(500, 12, std::string("\x02\0\0\0\0\0\0\0\x7f\0\x20\x08", 12));
    core.replace(512 + 0x10, 4, std::string("\x01\x02\x03\x04", 4));
    core.replace(512 + 0x14, 2, std::string("\x10\x05", 2));
    return core;
}

const EmbeddingArea kGap = gap_before(1_MiB);

TEST(BootSector, KeepsWhatBelongsToTheDisk) {
    std::string present(512, 'd');
    const auto sector = boot_sector(boot_img(), present, {512});
    std::string expected = boot_img();
    expected.replace(0x3, 0x57, std::string(0x57, 'd'));    // BIOS parameter block
    expected.replace(0x1b8, 0x46, std::string(0x46, 'd'));  // disk signature, partition table
    expected.replace(0x5c, 8, std::string("\x01\0\0\0\0\0\0\0", 8));
    expected[0x64] = '\xff';
    expected.replace(0x66, 2, "\x90\x90");
    EXPECT_EQ(sector, expected);
}

TEST(BootSector, NamesTheSectorOfTheCore) {
    const auto sector = boot_sector(boot_img(), std::string(512, '\0'), {(std::uint64_t{1} << 42) + 512 * 0x1234});
    EXPECT_EQ(sector.substr(0x5c, 8), std::string("\x34\x12\0\0\x02\0\0\0", 8));
}

TEST(BootSector, IsMadeOfABootSectorOnly) {
    const std::string present(512, '\0');
    constexpr auto kMessage = "cannot use GRUB's boot.img: it is no boot sector";
    EXPECT_EQ(message_of([&] { boot_sector(std::string(512, 'B'), present, {512}); }), kMessage);
    EXPECT_EQ(message_of([&] { boot_sector(boot_img().substr(1), present, {512}); }), kMessage);
}

TEST(Core, HasItsBlockListAtTheEndOfTheFirstSector) {
    const auto core = placed_core(core_img(5 * 512), {2_MiB, 1_MiB, "there"});
    auto expected = core_img(5 * 512);
    // from sector 4097, four of them, to segment 0x820; above that, the end of the list
    expected.replace(488, 24, std::string("\0\0\0\0\0\0\0\0\0\0\0\0\x01\x10\0\0\0\0\0\0\x04\0\x20\x08", 24));
    expected.replace(512 + 0x10, 4, std::string(4, '\0'));  // no Reed-Solomon code follows
    EXPECT_EQ(core, expected);
}

TEST(Core, IsFilledUpToWholeSectors) {
    const auto core = placed_core(core_img(4 * 512 + 1), kGap);
    EXPECT_EQ(core.size(), 5U * 512);
    EXPECT_EQ(core.substr(4 * 512), "C" + std::string(511, '\0'));
    EXPECT_EQ(core.substr(500, 10), std::string("\x02\0\0\0\0\0\0\0\x04\0", 10));
}

TEST(Core, FitsIntoAnAreaOfItsSizeAndNotIntoASmallerOne) {
    const EmbeddingArea exactly{{512}, {10 * 512}, "the gap before the first partition"};
    EXPECT_EQ(placed_core(core_img(10 * 512), exactly).size(), 10U * 512);
    EXPECT_EQ(
        message_of([&] { placed_core(core_img(10 * 512 + 1), exactly); }),
        "cannot put GRUB into the gap before the first partition: core.img takes 5.6 kB, there is room for 5.1 kB: "
        "512 bytes are missing");
    EXPECT_EQ(
        message_of([&] { placed_core(core_img(62000), gap_before({63 * 512})); }),
        "cannot put GRUB into the gap before the first partition: core.img takes 62.5 kB, there is room for 31.7 kB: "
        "30720 bytes are missing");
}

TEST(Core, IsMadeOfACoreForABiosOnly) {
    constexpr auto kMessage = "cannot use GRUB's core.img: it is none for a BIOS";
    EXPECT_EQ(message_of([] { placed_core("", kGap); }), kMessage);
    EXPECT_EQ(message_of([] { placed_core(std::string(1024, 'C'), kGap); }), kMessage);
    auto mismatched = core_img(4096);
    mismatched.replace(512 + 0x14, 2, "\xff\xff");
    EXPECT_EQ(message_of([&] { placed_core(mismatched, kGap); }), kMessage);
}

TEST(Gap, IsAllBetweenTheFirstSectorAndTheFirstPartition) {
    EXPECT_EQ(kGap, (EmbeddingArea{{512}, {2047 * 512}, "the gap before the first partition"}));
    EXPECT_EQ(gap_before({512}).size, Bytes{0});
    EXPECT_EQ(gap_before({0}).size, Bytes{0});
}

class Embedding : public testing::Test {
  protected:
    os::TempDir folder_{testing::TempDir(), "boot-test-"};
    std::filesystem::path disk_ = folder_.path() / "disk.img";
    void fill(std::size_t size) { os::write_file(disk_, std::string(size, 'd')); }
};

TEST_F(Embedding, WritesTheTwoPartsAndNothingElse) {
    fill(16 * 512);
    const EmbeddingArea area{{4 * 512}, {8 * 512}, "the BIOS boot partition"};
    embed_grub(disk_, boot_img(), core_img(5 * 512), area);
    const auto written = os::read_file(disk_);
    EXPECT_EQ(written.substr(0, 512), boot_sector(boot_img(), std::string(512, 'd'), area.start));
    EXPECT_EQ(written.substr(4 * 512, 5 * 512), placed_core(core_img(5 * 512), area));
    EXPECT_EQ(written.substr(512, 3 * 512), std::string(3 * 512, 'd'));
    EXPECT_EQ(written.substr(9 * 512), std::string(7 * 512, 'd'));
}

TEST_F(Embedding, TouchesNothingWhereThereIsNoRoom) {
    fill(16 * 512);
    const EmbeddingArea area{{4 * 512}, {4 * 512}, "the BIOS boot partition"};
    EXPECT_EQ(
        message_of([&] { embed_grub(disk_, boot_img(), core_img(5 * 512), area); }),
        "cannot put GRUB into the BIOS boot partition: core.img takes 2.6 kB, there is room for 2.0 kB: 512 bytes "
        "are missing");
    EXPECT_EQ(os::read_file(disk_), std::string(16 * 512, 'd'));
}

}  // namespace
}  // namespace vprov::partition
