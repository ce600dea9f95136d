// Tables as sfdisk and sgdisk read them.
#include "partition/image/partition_table.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "disk_fixture.h"
#include "os/fd.h"
#include "partition/image/gpt_identity.h"

namespace vprov::partition {
namespace {

using Json = nlohmann::json;

constexpr const char* kLinux = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

// With one blank between words.
std::string in_words(std::string_view line) {
    std::string text;
    for (const auto word : split_words(line)) text += fmt::format("{}{}", text.empty() ? "" : " ", word);
    return text;
}

class PartitionTable : public DiskImage {
  protected:
    // "START+SECTORS TYPE [UUID] [NAME] [ATTRIBUTES]" of each partition, as sfdisk says.
    std::vector<std::string> read() {
        const auto text = run({"sfdisk", "-J", image});
        table = Json::parse(text).at("partitiontable");
        std::vector<std::string> lines;
        for (const auto& entry : table.at("partitions")) {
            auto line = fmt::format("{}+{} {}", entry.at("start").get<std::uint64_t>(),
                                    entry.at("size").get<std::uint64_t>(), entry.at("type").get<std::string>());
            for (const auto* key : {"uuid", "name", "attrs"})
                if (entry.contains(key))
                    line += " " + entry.at(key).get<std::string>();
            if (entry.value("bootable", false))
                line += " *";
            lines.push_back(line);
        }
        return lines;
    }
    void expect_verified(const DiskPlan& disk) {
        const auto said = run({"sfdisk", "--verify", image});
        EXPECT_NE(said.find("No errors detected."), std::string::npos) << said;
        if (disk.table == Table::gpt) {
            const auto more = run({"sgdisk", "-v", image});
            EXPECT_NE(more.find("No problems found."), std::string::npos) << more;
        }
    }
    void write_only_table(DiskPlan& disk) {
        place(disk);
        NewTable(disk);
    }
    void NewTable(const DiskPlan& disk) {
        std::filesystem::remove(image);
        os::write_file(image, "");
        std::filesystem::resize_file(image, disk.size.value);
        write_table(disk, image);
    }
    Json table;
};

TEST_F(PartitionTable, EightPartitionsWithGivenUuids) {
    std::vector<Volume> eight;
    std::vector<std::string> expected;
    for (int i = 1; i <= 8; ++i) {
        eight.push_back(volume(fmt::format("p{}", i), Filesystem::ext4, 16_MiB));
        eight.back().partuuid = *Uuid::parse(fmt::format("1234567{}-89ab-cdef-0123-456789abcde{}", i, i));
        expected.push_back(
            fmt::format("{}+32768 {} 1234567{}-89AB-CDEF-0123-456789ABCDE{}", 2048 + (i - 1) * 32768, kLinux, i, i));
    }
    auto disk = disk_of(Table::gpt, 256_MiB, eight);
    write_only_table(disk);
    EXPECT_EQ(read(), expected);
    EXPECT_EQ(table.at("label"), "gpt");
    EXPECT_EQ(table.at("id"), upper(disk.table_uuid.text()));
    EXPECT_EQ(table.at("firstlba"), 34);
    EXPECT_EQ(table.at("lastlba"), 524254);
    expect_verified(disk);
}

TEST_F(PartitionTable, TypesNamesAndAttributesOfAGpt) {
    std::vector<Volume> all;
    const auto add = [&](Role role, Filesystem filesystem) {
        all.push_back(volume(std::string(name(role)), filesystem, 8_MiB));
        all.back().role = role;
        all.back().partuuid = {};
        all.back().partuuid.bytes[15] = static_cast<std::uint8_t>(all.size());
    };
    add(Role::bios_boot, Filesystem::none);
    add(Role::esp, Filesystem::vfat);
    add(Role::extended_boot, Filesystem::ext4);
    add(Role::data, Filesystem::xfs);
    add(Role::swap, Filesystem::swap);
    add(Role::lvm, Filesystem::none);
    add(Role::raid, Filesystem::none);
    all[1].partlabel = "EFI";
    all[2].flags = {Flag::boot, Flag::required};
    all[3].flags = {Flag::read_only, Flag::no_automount};
    auto disk = disk_of(Table::gpt, {}, all);
    write_only_table(disk);
    const std::string id = " 00000000-0000-0000-0000-00000000000";
    EXPECT_EQ(read(),
              (std::vector<std::string>{
                  "2048+16384 21686148-6449-6E6F-744E-656564454649" + id + "1",
                  "18432+16384 C12A7328-F81F-11D2-BA4B-00A0C93EC93B" + id + "2 EFI",
                  "34816+16384 BC13C2FF-59E6-4262-A352-B275FD6F7172" + id + "3 RequiredPartition LegacyBIOSBootable",
                  "51200+16384 0FC63DAF-8483-4772-8E79-3D69D8477DE4" + id + "4 GUID:60,63",
                  "67584+16384 0657FD6D-A4AB-43C4-84E5-0933C84B4F4F" + id + "5",
                  "83968+16384 E6D6D379-F507-44C2-A23C-238F2A3DF928" + id + "6",
                  "100352+16384 A19D880F-05FC-4D3B-A006-743F0F84911E" + id + "7"}));
    expect_verified(disk);
}

TEST_F(PartitionTable, AnMbrWithLogicalPartitions) {
    auto disk = disk_of(Table::mbr, 512_MiB,
                        {volume("a", Filesystem::ext4, 64_MiB, "/"), volume("b", Filesystem::vfat, 32_MiB),
                         volume("c", Filesystem::ext4, 32_MiB), volume("d", Filesystem::swap, 32_MiB),
                         volume("e", Filesystem::xfs, 300_MiB), volume("f", Filesystem::none, 8_MiB)});
    disk.volumes[0].flags = {Flag::boot};
    disk.volumes[5].role = Role::lvm;
    disk.table_uuid = *Uuid::parse("cafe0123-0000-0000-0000-000000000000");
    write_only_table(disk);
    EXPECT_EQ(read(),
              (std::vector<std::string>{"2048+131072 83 *", "133120+65536 c", "198656+65536 83", "264192+702464 f",
                                        "266240+65536 82", "333824+614400 83", "950272+16384 8e"}));
    EXPECT_EQ(table.at("label"), "dos");
    EXPECT_EQ(table.at("id"), "0xcafe0123");
    EXPECT_EQ(table.at("partitions").at(4).at("node"), image.native() + "5");
    expect_verified(disk);
}

TEST_F(PartitionTable, SectorsOf4096Bytes) {
    auto gpt =
        disk_of(Table::gpt, 256_MiB, {volume("a", Filesystem::ext4, 64_MiB), volume("b", Filesystem::ext4, 32_MiB)});
    gpt.sector_size = 4096;
    write_only_table(gpt);
    // sfdisk (2.38) takes the sector size of a device only, fdisk of an image too
    const auto listed = [&](std::string columns) {
        std::vector<std::string> rows;
        const auto text = run({"fdisk", "-b", "4096", "-l", "-o", std::move(columns), image});
        for (const auto line : split(text, '\n'))
            if (const auto row = trimmed(line); !row.empty() && row[0] >= '0' && row[0] <= '9')
                rows.push_back(in_words(line));
        return rows;
    };
    EXPECT_EQ(
        listed("Start,Sectors,Type-UUID,UUID"),
        (std::vector<std::string>{fmt::format("256 16384 {} {}", kLinux, upper(gpt.volumes[0].partuuid.text())),
                                  fmt::format("16640 8192 {} {}", kLinux, upper(gpt.volumes[1].partuuid.text()))}));
    EXPECT_EQ(run({"fdisk", "-b", "4096", "-l", image}).find("corrupt"), std::string::npos);
    auto mbr = gpt;
    mbr.table = Table::mbr;
    write_only_table(mbr);
    EXPECT_EQ(listed("Start,Sectors,Id"), (std::vector<std::string>{"256 16384 83", "16640 8192 83"}));
}

TEST_F(PartitionTable, TheSamePlanIsTheSameBytes) {
    for (const auto kind : {Table::gpt, Table::mbr}) {
        std::vector<Volume> six;
        for (int i = 1; i <= 6; ++i) six.push_back(volume(fmt::format("p{}", i), Filesystem::ext4, 8_MiB));
        auto disk = disk_of(kind, 64_MiB, six);
        write_only_table(disk);
        const auto once = os::read_file(image);
        NewTable(disk);
        EXPECT_TRUE(once == os::read_file(image)) << name(kind);
    }
}

TEST_F(PartitionTable, WhatATableHasNotIsRefused) {
    auto disk = disk_of(Table::mbr, 64_MiB, {volume("grub", Filesystem::none, 8_MiB)});
    disk.volumes[0].role = Role::bios_boot;
    try {
        write_only_table(disk);
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), "cannot give partition 1 ('grub') the type or flag 'bios_grub': its table has none");
    }
}

TEST(GptIdentity, ChecksumsAndByteOrderAreThoseOfTheSpecification) {
    EXPECT_EQ(crc32("123456789"), 0xcbf43926U);
    const auto bytes = gpt_bytes(*Uuid::parse("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"));
    EXPECT_EQ(std::string(bytes.begin(), bytes.end()),
              "\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b" + std::string("\x00\xa0\xc9\x3e\xc9\x3b", 6));
}

TEST(GptIdentity, WhatIsNoTableIsLeftAlone) {
    std::string header(512, '\0'), entries(16384, '\0');
    EXPECT_THROW(set_gpt_identity(header, entries, {}, {}), Error);
    header.replace(0, 8, "EFI PART");
    EXPECT_THROW(set_gpt_identity(header, entries, {}, {}), Error) << "a header of no size";
    EXPECT_EQ(entries, std::string(16384, '\0'));
}

}  // namespace
}  // namespace vprov::partition
