// Whole disks, judged by the file systems' own checkers.
#include "partition/image/disk_writer.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "disk_fixture.h"
#include "os/fd.h"
#include "partition/image/private_mounts.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

class DiskWriter : public DiskImage {
  protected:
    void SetUp() override {
        fs::create_directories(tree / "etc");
        fs::create_directories(tree / "home/joe");
        fs::create_directories(tree / "boot/efi/EFI/BOOT");
        os::write_file(tree / "etc/hostname", "debian1\n");
        os::write_file(tree / "home/joe/notes", "joe's\n");
        os::write_file(tree / "boot/efi/EFI/BOOT/BOOTX64.EFI", std::string(100000, 'x'));
        ::utimensat(AT_FDCWD, (tree / "boot/efi/EFI/BOOT/BOOTX64.EFI").c_str(), kDates, 0);
        fs::create_hard_link(tree / "etc/hostname", tree / "etc/also");
    }

    std::vector<TreePart> parts_of(const DiskPlan& disk) {
        std::vector<TreePart> parts;
        for (const auto& one : disk.volumes)
            parts.push_back(one.mount.empty() ? TreePart{} : part_for(one, {{disk}}, tree));
        return parts;
    }

    static constexpr timespec kDates[2] = {{1700000000, 0}, {1700000000, 0}};
};

TEST_F(DiskWriter, FileSystemsLieInTheirPartitions) {
    auto disk =
        disk_of(Table::gpt, 1_GiB,
                {volume("grub", Filesystem::none, 1_MiB), volume("esp", Filesystem::vfat, 64_MiB, "/boot/efi"),
                 volume("root", Filesystem::ext4, 256_MiB, "/"), volume("home", Filesystem::btrfs, 256_MiB, "/home"),
                 volume("srv", Filesystem::xfs, 320_MiB), volume("swap", Filesystem::swap, 64_MiB)});
    disk.volumes[0].role = Role::bios_boot;
    disk.volumes[1].role = Role::esp;
    disk.volumes[1].label = "ESP";
    write(disk, parts_of(disk));
    const auto said = run({"sfdisk", "--verify", image});
    EXPECT_NE(said.find("No errors detected."), std::string::npos) << said;

    run({"fsck.fat", "-n", part_of(disk, 1)});
    run({"e2fsck", "-fn", part_of(disk, 2)});
    run({"btrfs", "check", part_of(disk, 3)});
    run({"xfs_repair", "-n", part_of(disk, 4)});
    for (const auto& [index, type] : {std::pair{1, "vfat"}, {2, "ext4"}, {3, "btrfs"}, {4, "xfs"}, {5, "swap"}}) {
        const auto found = run({"blkid", "-p", "-o", "export", work.path() / fmt::format("part{}", index)});
        const auto& planned = disk.volumes[static_cast<std::size_t>(index)];
        EXPECT_NE(found.find(fmt::format("TYPE={}\n", type)), std::string::npos) << found;
        EXPECT_NE(found.find("UUID=" + planned.uuid_text() + "\n"), std::string::npos) << found;
        if (index == 4)
            part_of(disk, 5);
    }
}

TEST_F(DiskWriter, EachTakesItsPartOfTheTree) {
    auto disk =
        disk_of(Table::gpt, 512_MiB,
                {volume("esp", Filesystem::vfat, 64_MiB, "/boot/efi"), volume("root", Filesystem::ext4, 128_MiB, "/"),
                 volume("home", Filesystem::btrfs, 192_MiB, "/home")});
    write(disk, parts_of(disk));
    const auto esp = part_of(disk, 0), root = part_of(disk, 1), home = part_of(disk, 2);
    EXPECT_EQ(run({"debugfs", "-R", "cat /etc/hostname", root}).substr(0, 8), "debian1\n");
    EXPECT_EQ(run({"debugfs", "-R", "ls -p /home", root}).find("joe"), std::string::npos);
    EXPECT_NE(run({"debugfs", "-R", "stat /etc/also", root}).find("Links: 2"), std::string::npos);
    run({"mcopy", "-i", esp, "::/EFI/BOOT/BOOTX64.EFI", work.path() / "back"});
    EXPECT_EQ(os::read_file(work.path() / "back"), std::string(100000, 'x'));
    EXPECT_NE(run({"btrfs", "inspect-internal", "dump-tree", "-t", "fs", home}).find("name: joe"), std::string::npos);
}

TEST_F(DiskWriter, ImagesTakeNoMoreRoomThanTheirContent) {
    os::write_file(tree / "big", std::string(20000000, 'x'));
    auto disk = disk_of(Table::gpt, 8_GiB,
                        {volume("esp", Filesystem::vfat, 128_MiB), volume("root", Filesystem::ext4, 4_GiB, "/")});
    write(disk, parts_of(disk));
    struct stat status {};
    ASSERT_EQ(::stat(image.c_str(), &status), 0);
    EXPECT_EQ(status.st_size, static_cast<off_t>(disk.size.value));
    EXPECT_LT(status.st_blocks * 512, 25000000);
}

TEST_F(DiskWriter, TheSameTwiceIsTheSameBytes) {
    auto disk = disk_of(Table::mbr, 256_MiB,
                        {volume("esp", Filesystem::vfat, 64_MiB, "/boot/efi"),
                         volume("root", Filesystem::ext4, 128_MiB, "/"), volume("swap", Filesystem::swap, 16_MiB)});
    write(disk, parts_of(disk));
    const auto first = work.path() / "first.img";
    fs::rename(image, first);
    ::sleep(2);  // FAT counts in steps of two seconds
    write_raw_image(disk, parts_of(disk), image, runner);
    EXPECT_EQ(run({"cmp", first, image}), "");
}

// Other inodes, and names that were made in another order: as on another file system of the host.
TEST_F(DiskWriter, BtrfsOfACopiedTreeIsTheSameBytes) {
    for (const auto* name : {"c", "a", "d", "b"}) os::write_file(tree / "etc" / name, name);
    const auto copy = work.path() / "copy";
    fs::create_directories(copy / "etc");
    for (const auto* name : {"d", "c", "b", "a"}) fs::copy_file(tree / "etc" / name, copy / "etc" / name);
    fs::copy(tree, copy, fs::copy_options::recursive | fs::copy_options::skip_existing);
    fs::remove(copy / "etc/also");
    fs::create_hard_link(copy / "etc/hostname", copy / "etc/also");
    for (const auto& top : {tree, copy}) {
        for (const auto& entry : fs::recursive_directory_iterator(top))
            ::utimensat(AT_FDCWD, entry.path().c_str(), kDates, AT_SYMLINK_NOFOLLOW);
        ::utimensat(AT_FDCWD, top.c_str(), kDates, 0);
    }
    auto disk = disk_of(Table::gpt, 300_MiB, {volume("root", Filesystem::btrfs, 256_MiB, "/")});
    write(disk, {{tree}});
    const auto first = work.path() / "first.img";
    fs::rename(image, first);
    ::sleep(1);
    write_raw_image(disk, {{copy}}, image, runner);
    EXPECT_EQ(run({"cmp", first, image}), "");
    run({"btrfs", "check", part_of(disk, 0)});
}

// What a user other than root cannot make in a tree is in its image as if it were there.
TEST_F(DiskWriter, AddedDevicesAreTheSameBytesAsDevices) {
    fs::create_directory(tree / "dev");
    os::write_file(tree / "dev/after", "");
    os::write_file(tree / "dev/zzz", "");
    const auto settle_dates = [&] {
        for (const auto& entry : fs::recursive_directory_iterator(tree))
            ::utimensat(AT_FDCWD, entry.path().c_str(), kDates, AT_SYMLINK_NOFOLLOW);
        ::utimensat(AT_FDCWD, tree.c_str(), kDates, 0);
    };
    for (const auto filesystem : {Filesystem::ext4, Filesystem::btrfs}) {
        auto disk = disk_of(Table::gpt, 300_MiB, {volume("root", filesystem, 256_MiB, "/")});
        settle_dates();
        auto part = TreePart{tree};
        part.added = {{tree / "dev/null", S_IFCHR | 0666, makedev(1, 3)}};
        write(disk, {part});
        EXPECT_FALSE(fs::exists(tree / "dev/null"));
        const auto first = work.path() / "first.img";
        fs::rename(image, first);
        if (::mknod((tree / "dev/null").c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0)
            GTEST_SKIP() << "device files cannot be made here";
        ASSERT_EQ(::chmod((tree / "dev/null").c_str(), 0666), 0);
        settle_dates();
        write_raw_image(disk, {{tree}}, image, runner);
        EXPECT_EQ(run({"cmp", first, image}), "") << name(filesystem);
        fs::remove(image);
        fs::remove(tree / "dev/null");
    }
}

TEST_F(DiskWriter, SizesFollowFromContent) {
    os::write_file(tree / "big", std::string(20000000, 'x'));
    for (const auto filesystem : {Filesystem::ext2, Filesystem::ext4, Filesystem::btrfs}) {
        auto root = volume("root", filesystem, {}, "/");
        root.sizing = Sizing::content;
        root.room = 16_MiB;
        auto disk = disk_of(Table::gpt, {}, {root, volume("swap", Filesystem::swap, 16_MiB)});
        write(disk, parts_of(disk));
        EXPECT_GE(disk.volumes[0].size, Bytes{20000000} + 16_MiB);
        EXPECT_LT(disk.size, filesystem == Filesystem::btrfs ? 256_MiB : 80_MiB);
        run({"sgdisk", "-v", image});
        if (filesystem != Filesystem::btrfs)
            run({"e2fsck", "-fn", part_of(disk, 0)});
        fs::remove(image);
    }
}

TEST_F(DiskWriter, AFailureLeavesNothing) {
    fs::create_symlink("x", tree / "boot/efi/link");
    auto disk =
        disk_of(Table::gpt, 256_MiB,
                {volume("root", Filesystem::ext4, 64_MiB, "/"), volume("esp", Filesystem::vfat, 64_MiB, "/boot/efi")});
    try {
        write(disk, parts_of(disk));
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.message(),
                  "cannot write disk.img, partition 2 ('esp'): vfat holds files and directories only, and '/link' is "
                  "neither");
    }
    EXPECT_FALSE(fs::exists(image));
}

TEST_F(DiskWriter, AHostThatIsFullLeavesNothing) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "mounting a small file system needs root";
    std::string noise(20000000, '\0');
    for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>(i * 7919 >> 5 | 1);
    os::write_file(tree / "big", noise);
    const auto small = work.path() / "small";
    fs::create_directory(small);
    in_private_mounts([&] {
        ASSERT_EQ(::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=8m"), 0);
        auto disk = disk_of(Table::gpt, 256_MiB, {volume("root", Filesystem::ext4, 128_MiB, "/")});
        const auto parts = parts_of(disk);
        settle(disk, parts);
        try {
            write_raw_image(disk, parts, small / "disk.img", runner);
            ADD_FAILURE() << "no error";
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::disk);
            EXPECT_NE(e.message().find("No space left on device"), std::string::npos) << e.message();
        }
        EXPECT_TRUE(fs::is_empty(small));
    });
}

TEST_F(DiskWriter, OtherFormatsAreMadeByQemuImg) {
    auto disk = disk_of(Table::none, 64_MiB, {volume("root", Filesystem::ext4, {}, "/")});
    for (const auto format : {ImageFormat::qcow2, ImageFormat::vmdk, ImageFormat::vdi, ImageFormat::vhdx}) {
        disk.format = format;
        write(disk, parts_of(disk));
        const auto finished = work.path() / fmt::format("root.{}", name(format));
        const auto raw = os::read_file(image);
        finish_image(disk, image, finished, runner);
        EXPECT_FALSE(fs::exists(image));
        run({"qemu-img", "check", "-q", finished});
        run({"qemu-img", "convert", "-O", "raw", finished, image});
        EXPECT_TRUE(raw == os::read_file(image)) << name(format);
        fs::remove(image);
    }
}

}  // namespace
}  // namespace vprov::partition
