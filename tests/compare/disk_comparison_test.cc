// Images of a small tree, changed by tools that share no code with the comparison.
#include "partition/compare/disk_comparison.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include <functional>

#include "image/disk_fixture.h"
#include "os/fd.h"
#include "partition/compare/image_bytes.h"
#include "partition/compare/volume_files.h"
#include "partition/image/loop_device.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

class DiskComparisons : public DiskImage {
  protected:
    void SetUp() override {
        fs::create_directories(tree / "etc");
        fs::create_directories(tree / "boot/efi/EFI");
        fs::create_directories(tree / "home/joe");
        os::write_file(tree / "etc/hostname", "debian1\n");
        os::write_file(tree / "etc/motd", "welcome\n");
        os::write_file(tree / "home/joe/notes", std::string(9000, 'n'));
        os::write_file(tree / "boot/efi/EFI/grub.cfg", "menu\n");
        fs::create_symlink("motd", tree / "etc/issue");
        fs::create_hard_link(tree / "etc/hostname", tree / "etc/also");
        set_dates();
    }

    void set_dates() {
        constexpr timespec kDates[2] = {{1700000000, 0}, {1700000000, 0}};
        for (const auto& entry : fs::recursive_directory_iterator(tree))
            ::utimensat(AT_FDCWD, entry.path().c_str(), kDates, AT_SYMLINK_NOFOLLOW);
        ::utimensat(AT_FDCWD, tree.c_str(), kDates, 0);
    }

    std::vector<TreePart> parts_of(const DiskPlan& disk) {
        std::vector<TreePart> parts;
        for (const auto& one : disk.volumes)
            parts.push_back(one.mount.empty() ? TreePart{} : part_for(one, {{disk}}, tree));
        return parts;
    }

    // Two images; `found` is made of a tree in which `change` was done.
    void write_two(DiskPlan& disk, const std::function<void()>& change) {
        write(disk, parts_of(disk));
        fs::rename(image, expected);
        change();
        set_dates();
        write_raw_image(disk, parts_of(disk), image, runner);
    }

    DiskComparison compare(const DiskPlan& disk) { return compare_disks(disk, expected, image, work.path(), runner); }

    std::string said(const DiskPlan& disk) {
        const auto result = compare(disk);
        return result.difference ? result.difference->text() : "the same";
    }

    static void overwrite(const fs::path& file, std::uint64_t place, std::string_view bytes) {
        const auto fd = os::open_file(file, O_WRONLY);
        ASSERT_EQ(::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(place)),
                  static_cast<ssize_t>(bytes.size()));
    }

    DiskPlan bare(Filesystem filesystem, Bytes size) {
        auto disk = disk_of(Table::none, size, {volume("root", filesystem, size, "/")});
        place(disk);
        return disk;
    }

    const fs::path expected = work.path() / "expected.img";
};

TEST_F(DiskComparisons, EveryAspectOfAFileIsNamed) {
    auto disk = bare(Filesystem::ext4, 64_MiB);
    write(disk, parts_of(disk));
    fs::rename(image, expected);
    const auto after = [&](const std::string& request) {
        fs::copy_file(expected, image, fs::copy_options::overwrite_existing);
        run({"debugfs", "-w", "-R", request, image});
        return said(disk);
    };
    fs::copy_file(expected, image);
    EXPECT_EQ(said(disk), "the same");
    EXPECT_EQ(after("sif /etc/motd mode 0100600"), "'/etc/motd': mode 0600, not 0644");
    EXPECT_EQ(after("sif /etc/motd uid 5"), "'/etc/motd': owner 5:0, not 0:0");
    EXPECT_EQ(after("sif /etc/motd size 3"), "'/etc/motd': content");
    EXPECT_EQ(after("ea_set /etc/motd user.x y"), "'/etc/motd': extended attribute user.x");
    EXPECT_EQ(after("rm /etc/issue"), "'/etc/issue': missing");
    EXPECT_EQ(after("symlink /etc/another motd"), "'/etc/another': should not be there");
    EXPECT_EQ(after("sif /etc/issue mode 0010777"), "'/etc/issue': a pipe, not a link");
    EXPECT_TRUE(
        after("sif /etc/motd mtime 20010203040506").starts_with("'/etc/motd': time of modification 981173106, "));
    EXPECT_TRUE(after("ssv volume_name other").starts_with("what the file system has besides files, byte "));
}

TEST_F(DiskComparisons, TheFirstPathIsThatOfTheFirstPlace) {
    auto disk =
        disk_of(Table::gpt, 512_MiB,
                {volume("esp", Filesystem::vfat, 64_MiB, "/boot/efi"), volume("root", Filesystem::ext3, 64_MiB, "/"),
                 volume("home", Filesystem::btrfs, 192_MiB, "/home"), volume("swap", Filesystem::swap, 16_MiB)});
    write_two(disk, [&] { os::write_file(tree / "home/joe/notes", std::string(9000, 'm')); });
    EXPECT_EQ(said(disk), "partition 3 (home), '/joe/notes': content");
    overwrite(image, disk.volumes[3].start.value + 1036, "x");
    EXPECT_EQ(said(disk), "partition 3 (home), '/joe/notes': content");
    run({"mdel", "-i", image.native() + "@@" + std::to_string(disk.volumes[0].start.value), "::/EFI/grub.cfg"});
    EXPECT_EQ(said(disk), "partition 1 (esp), '/EFI/grub.cfg': missing");
    overwrite(image, 512 + 56, "other");
    EXPECT_EQ(said(disk), "the partition table: byte 568");
    overwrite(image, 7, "code");
    EXPECT_EQ(said(disk), "the boot code: byte 7");
}

TEST_F(DiskComparisons, WhatIsNoFileIsNamedByItsPlace) {
    auto disk =
        disk_of(Table::mbr, 64_MiB, {volume("raw", Filesystem::none, 8_MiB), volume("swap", Filesystem::swap, 16_MiB)});
    write_two(disk, [] {});
    EXPECT_EQ(said(disk), "the same");
    overwrite(image, disk.size.value - 5, "end");
    EXPECT_EQ(said(disk), "the partition table: byte 67108859");
    overwrite(image, disk.volumes[1].start.value + 1036, "x");
    EXPECT_EQ(said(disk), "partition 2 (swap): swap space, byte 1036 of it");
    overwrite(image, disk.volumes[0].start.value + 3, "x");
    EXPECT_EQ(said(disk), "partition 1 (raw): byte 3 of it");
    overwrite(image, 4096, "x");
    EXPECT_EQ(said(disk), "outside of partitions: byte 4096");
    fs::resize_file(image, disk.size.value + 512);
    EXPECT_EQ(said(disk).substr(0, 10), "the disk: ");
}

TEST_F(DiskComparisons, ADamagedFileSystemIsNoReasonToGiveUp) {
    auto disk = bare(Filesystem::ext4, 64_MiB);
    write_two(disk, [] {});
    overwrite(image, 1024 + 56, std::string(2, '\0'));  // the magic number
    EXPECT_TRUE(said(disk).starts_with("byte 1080 of it; cannot read the file system in ")) << said(disk);
}

TEST_F(DiskComparisons, OfXfsTheFilesCount) {
    if (const auto cause = what_forbids_loop_devices(); !cause.empty())
        GTEST_SKIP() << cause;
    auto disk = bare(Filesystem::xfs, 320_MiB);
    write_two(disk, [] { ::sleep(1); });
    ASSERT_TRUE(first_difference(expected, image, {}, disk.size));
    const auto result = compare(disk);
    EXPECT_FALSE(result.difference) << result.difference->text();
    EXPECT_EQ(result.by_files, std::vector<std::string>{"root"});
    fs::remove(image);
    fs::permissions(tree / "etc/motd", fs::perms(0640));
    write_raw_image(disk, parts_of(disk), image, runner);
    EXPECT_EQ(said(disk), "'/etc/motd': mode 0640, not 0644");
    fs::remove(image);
    disk.volumes[0].label = "other";
    write_raw_image(disk, parts_of(disk), image, runner);
    EXPECT_EQ(said(disk), "the superblock: UUID, label or size");
}

TEST_F(DiskComparisons, VolumesAreFoundByTheImagesOwnTable) {
    auto disk =
        disk_of(Table::gpt, 128_MiB,
                {volume("esp", Filesystem::vfat, 36_MiB, "/boot/efi"), volume("root", Filesystem::ext4, 64_MiB, "/")});
    write(disk, parts_of(disk));
    auto planned = disk.volumes[1];
    planned.start = planned.size = {};
    const auto found = find_volume(disk, planned, image);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->place.offset, disk.volumes[1].start);
    EXPECT_EQ(found->size, disk.volumes[1].size);
    EXPECT_EQ(read_from_volume(planned, found->place, "/etc/hostname", runner), "debian1\n");
    EXPECT_EQ(read_from_volume(planned, found->place, "/etc/issue", runner), std::nullopt);
    EXPECT_EQ(read_from_volume(planned, found->place, "/etc/none", runner), std::nullopt);
    planned.number = 3;
    EXPECT_FALSE(find_volume(disk, planned, image));
}

}  // namespace
}  // namespace vprov::partition
