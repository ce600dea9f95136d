#include "partition/layout/placement.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "disks.h"

namespace vprov::partition {
namespace {

// "1:1048576+67108864 2:..." of the placed disk, or the error.
std::string placed(DiskPlan disk) {
    try {
        place(disk);
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::disk);
        return e.message();
    }
    std::string text;
    for (const auto& volume : disk.volumes)
        text +=
            fmt::format("{}{}:{}+{}", text.empty() ? "" : " ", volume.number, exact(volume.start), exact(volume.size));
    return text;
}

TEST(Placement, PartitionsFollowEachOtherOnWholeMebibytes) {
    EXPECT_EQ(placed(disk_of(Table::gpt, 1_GiB, {fixed("a", 64_MiB), fixed("b", 4_KiB), fixed("c", 8_MiB)})),
              "1:1M+64M 2:65M+4K 3:66M+8M");
}

TEST(Placement, TheRestIsWhatTheOthersAndTheTableLeave) {
    EXPECT_EQ(placed(disk_of(Table::gpt, 1_GiB, {fixed("a", 64_MiB), rest("b")})), "1:1M+64M 2:65M+958M");
    EXPECT_EQ(placed(disk_of(Table::gpt, 1_GiB, {rest("a"), fixed("b", 64_MiB)})), "1:1M+958M 2:959M+64M");
    EXPECT_EQ(placed(disk_of(Table::mbr, 1_GiB, {fixed("a", 64_MiB), rest("b")})), "1:1M+64M 2:65M+959M");
    EXPECT_EQ(placed(disk_of(Table::mbr, 1_GiB, {rest("a"), logical(fixed("b", 64_MiB)), logical(fixed("c", 8_MiB))})),
              "1:1M+949M 5:951M+64M 6:1016M+8M");
}

TEST(Placement, EightPartitionsOfAGpt) {
    std::vector<Volume> eight;
    for (int i = 1; i <= 8; ++i) eight.push_back(fixed(fmt::format("p{}", i), 16_MiB));
    EXPECT_EQ(placed(disk_of(Table::gpt, 130_MiB, eight)),
              "1:1M+16M 2:17M+16M 3:33M+16M 4:49M+16M 5:65M+16M 6:81M+16M 7:97M+16M 8:113M+16M");
}

TEST(Placement, OneSectorTooSmallSaysSo) {
    // 16K of entries and one sector of header behind the last partition
    const Bytes fits{(65_MiB).value + 16384 + 512};
    EXPECT_EQ(placed(disk_of(Table::gpt, fits, {fixed("root", 64_MiB)})), "1:1M+64M");
    EXPECT_EQ(placed(disk_of(Table::gpt, {fits.value - 512}, {fixed("root", 64_MiB)})),
              "cannot place partition 1 ('root') on disk 'system': 512 bytes are missing");
    EXPECT_EQ(placed(disk_of(Table::mbr, {(65_MiB).value - 512}, {fixed("root", 64_MiB)})),
              "cannot place partition 1 ('root') on disk 'system': 512 bytes are missing");
    EXPECT_EQ(placed(disk_of(Table::gpt, 32_MiB, {fixed("root", 64_MiB), fixed("home", 1_MiB)})),
              "cannot place partition 1 ('root') on disk 'system': 35668480 bytes are missing")
        << "34 MiB, and 16896 bytes of the second table";
    EXPECT_EQ(placed(disk_of(Table::gpt, 72_MiB, {fixed("boot", 64_MiB), rest("root")})),
              "cannot place partition 2 ('root') on disk 'system': 1065472 bytes are missing");
}

TEST(Placement, SectorsOf4096BytesMakeTheTableLonger) {
    auto disk = disk_of(Table::gpt, {(65_MiB).value + 16384 + 4096}, {fixed("root", 64_MiB)});
    disk.sector_size = 4096;
    EXPECT_EQ(placed(disk), "1:1M+64M");
    EXPECT_EQ(usable(disk), (Usable{1_MiB, 65_MiB}));
    disk.size.value -= 4096;
    EXPECT_EQ(placed(disk), "cannot place partition 1 ('root') on disk 'system': 4096 bytes are missing");
    disk.size.value += 512;
    EXPECT_EQ(placed(disk), "cannot lay out disk 'system': its size is no multiple of the sector size, 4096");
}

TEST(Placement, AnMbrHasFourPrimaryPartitionsOrAnExtendedOne) {
    const auto five = [](Table table) {
        return disk_of(table, 1_GiB,
                       {fixed("a", 8_MiB), fixed("b", 8_MiB), fixed("c", 8_MiB), fixed("d", 8_MiB), fixed("e", 8_MiB)});
    };
    EXPECT_EQ(placed(five(Table::mbr)), "1:1M+8M 2:9M+8M 3:17M+8M 5:26M+8M 6:35M+8M");
    auto disk = five(Table::mbr);
    place(disk);
    EXPECT_EQ(extended_area(disk), (Area{25_MiB, 18_MiB}));
    EXPECT_EQ(extended_number(disk), 4U);
    EXPECT_EQ(placed(five(Table::gpt)), "1:1M+8M 2:9M+8M 3:17M+8M 4:25M+8M 5:33M+8M");
    EXPECT_EQ(
        placed(disk_of(Table::mbr, 1_GiB,
                       {fixed("a", 8_MiB), logical(fixed("b", 8_MiB)), logical(fixed("c", 8_MiB)), fixed("d", 8_MiB)})),
        "1:1M+8M 5:10M+8M 6:19M+8M 3:27M+8M");
    auto too_many = five(Table::mbr);
    too_many.volumes[4].logical = true;
    EXPECT_EQ(placed(too_many), "cannot lay out disk 'system': an MBR has room for 4 primary partitions, these are 5");
    auto apart = five(Table::mbr);
    apart.volumes[1].logical = apart.volumes[3].logical = true;
    EXPECT_EQ(placed(apart), "cannot place partition 0 ('d') on disk 'system': logical partitions must be neighbours");
}

TEST(Placement, AnMbrReachesTwoTebibytes) {
    EXPECT_EQ(placed(disk_of(Table::mbr, {std::uint64_t{3} << 40}, {fixed("a", 1_GiB), rest("b")})),
              "1:1M+1G 2:1025M+2096127M");
    EXPECT_EQ(placed(disk_of(Table::mbr, {std::uint64_t{3} << 40}, {fixed("a", {std::uint64_t{2} << 40})})),
              "cannot place partition 1 ('a') on disk 'system': 1048576 bytes are missing");
}

TEST(Placement, ADiskAsLargeAsItsPartitions) {
    auto disk = disk_of(Table::gpt, {}, {fixed("a", 64_MiB), fixed("b", 8_MiB)});
    disk.sizing = Sizing::content;
    place(disk);
    EXPECT_EQ(disk.size, 74_MiB);
    disk.volumes[1].sizing = Sizing::content;
    disk.volumes[1].size = {};
    EXPECT_FALSE(is_settled(disk));
    disk.size = {};
    place(disk);
    EXPECT_EQ(disk.size, Bytes{}) << "nobody knows yet";
    EXPECT_EQ(disk.volumes[1].guest, "xvda2");
    disk.volumes[1].size = 100_MiB;
    place(disk);
    EXPECT_EQ(disk.size, 166_MiB);
}

TEST(Placement, ABareFileSystemIsTheWholeDisk) {
    auto disk = disk_of(Table::none, 1_GiB, {fixed("root", {})});
    disk.guest = "xvda1";
    place(disk);
    EXPECT_EQ(disk.volumes[0].size, 1_GiB);
    EXPECT_EQ(disk.volumes[0].guest, "xvda1");
    EXPECT_EQ(disk.volumes[0].number, 0U);
}

}  // namespace
}  // namespace vprov::partition
