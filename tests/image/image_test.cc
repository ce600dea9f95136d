#include "partition/image/image.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/error.h"
#include "base/text.h"
#include "os/command.h"
#include "os/temp_dir.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t kDate = 1700000000;

DiskPlan bare(const Volume& volume) {
    DiskPlan disk;
    disk.volumes.push_back(volume);
    return disk;
}

class Image : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(tree);
        disk.name = "root";
        disk.size = 64_MiB;
        disk.mount = "/";
        disk.label = "root";
        disk.uuid = Uuid::derived("debian1", "disk root");
    }

    std::string run(std::vector<std::string> argv) {
        const os::Command command{std::move(argv), os::clean_environment(), "", -1, {}};
        const auto result = runner.run(command);
        EXPECT_TRUE(result.ok()) << os::describe_failure(command, result);
        return result.output;
    }
    std::string debugfs(const std::string& request) { return run({"debugfs", "-R", request, image}); }
    void expect_clean() { run({"e2fsck", "-fn", image}); }

    std::string message() {
        try {
            write_filesystem(disk, tree, image, runner);
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::disk);
            return e.message();
        }
        return "(no error)";
    }

    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    fs::path tree = work.path() / "tree", image = work.path() / "root.img";
    Volume disk;
    os::SystemCommandRunner runner;
};

TEST_F(Image, IsCleanAndBearsThePlansNames) {
    os::write_file(tree / "hello", "world\n");
    write_filesystem(disk, tree, image, runner);
    expect_clean();
    const auto said = run({"blkid", "-p", "-o", "export", image});
    for (const auto& line : {std::string("TYPE=ext4"), "UUID=" + disk.uuid.text(), std::string("LABEL=root")})
        EXPECT_NE(said.find(line), std::string::npos) << line << " is not in\n" << said;
    EXPECT_EQ(debugfs("cat /hello"), "world\n");
    EXPECT_EQ(fs::file_size(image), disk.size.value);
}

TEST_F(Image, TooSmallSaysByHowMuchAndLeavesNothing) {
    disk.size = 16_MiB;
    os::write_file(tree / "big", std::string(20000000, 'x'));
    EXPECT_EQ(message(), "cannot write root.img: the tree needs about 25.3 MB, the disk has 16.8 MB");
    EXPECT_FALSE(fs::exists(image));
}

TEST_F(Image, TooManyFilesForTheInodes) {
    disk.size = 16_MiB;
    for (int i = 0; i < 4200; ++i) fs::create_symlink("x", tree / std::to_string(i));
    EXPECT_EQ(message(), "cannot write root.img: the tree has 4201 files, a file system of 16.8 MB has room for 4096");
    EXPECT_FALSE(fs::exists(image));
}

TEST_F(Image, AnImageThatIsThereIsKept) {
    os::write_file(image, "precious");
    EXPECT_EQ(message(), "cannot open '" + image.string() + "': File exists");
    EXPECT_EQ(os::read_file(image), "precious");
}

TEST_F(Image, KeepsOwnersModesLinksAndTimes) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "devices and owners need root";
    const auto date = [&](const char* name, std::int64_t seconds, long nanoseconds) {
        const std::array<timespec, 2> times = {{{1, 1}, {seconds, nanoseconds}}};
        ASSERT_EQ(::utimensat(AT_FDCWD, (tree / name).c_str(), times.data(), AT_SYMLINK_NOFOLLOW), 0);
    };
    os::write_file(tree / "su", "#!", 0755);
    ASSERT_EQ(::chown((tree / "su").c_str(), 70000, 80000), 0);
    ASSERT_EQ(::chmod((tree / "su").c_str(), 06755), 0);
    date("su", kDate, 123456789);
    fs::create_hard_link(tree / "su", tree / "su2");
    fs::create_symlink("target", tree / "short");
    fs::create_symlink(std::string(59, 'l'), tree / "inline");
    fs::create_symlink(std::string(60, 'l'), tree / "long");
    ASSERT_EQ(::mknod((tree / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
    ASSERT_EQ(::mknod((tree / "big").c_str(), S_IFBLK | 0600, makedev(259, 300)), 0);
    ASSERT_EQ(::mkfifo((tree / "pipe").c_str(), 0600), 0);
    fs::create_directory(tree / "sticky");
    ASSERT_EQ(::chmod((tree / "sticky").c_str(), 01777), 0);
    date("sticky", std::int64_t{1} << 32, 0);  // after 2038 and 2106
    write_filesystem(disk, tree, image, runner);
    expect_clean();

    const auto su = debugfs("stat /su");
    for (const auto* line : {"Mode:  06755", "User: 70000   Group: 80000", "Links: 2", " mtime: 0x6553f100:1d6f3454",
                             " atime: 0x6553f100:1d6f3454", " ctime: 0x6553f100:1d6f3454"})
        EXPECT_NE(su.find(line), std::string::npos) << line << " is not in\n" << su;
    EXPECT_EQ(debugfs("stat /su2"), su);
    EXPECT_NE(debugfs("stat /short").find("Fast link dest: \"target\""), std::string::npos);
    EXPECT_NE(debugfs("stat /inline").find(std::string(59, 'l')), std::string::npos);
    EXPECT_EQ(debugfs("cat /long"), std::string(60, 'l'));
    EXPECT_NE(debugfs("stat /null").find("Device major/minor number: 01:03"), std::string::npos);
    EXPECT_NE(debugfs("stat /big").find("Device major/minor number: 259:300"), std::string::npos);
    EXPECT_NE(debugfs("stat /pipe").find("Type: FIFO"), std::string::npos);
    const auto sticky = debugfs("stat /sticky");
    EXPECT_NE(sticky.find("Mode:  01777"), std::string::npos) << sticky;
    EXPECT_NE(sticky.find("mtime: 0x00000000:00000001"), std::string::npos) << sticky;
}

TEST_F(Image, KeepsCapabilitiesAndDropsTheHostsLabels) {
    const std::string capability = {1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};  // cap_net_raw=ep
    os::write_file(tree / "ping", "x", 0755);
    if (::setxattr((tree / "ping").c_str(), "security.capability", capability.data(), capability.size(), 0) != 0)
        GTEST_SKIP() << "cannot set capabilities here";
    ASSERT_EQ(::setxattr((tree / "ping").c_str(), "trusted.host", "x", 1, 0), 0);
    write_filesystem(disk, tree, image, runner);
    expect_clean();
    const auto said = debugfs("ea_list /ping");
    EXPECT_NE(said.find("security.capability (20) = 01 00 00 02 00 20 00 00"), std::string::npos) << said;
    EXPECT_EQ(said.find("trusted"), std::string::npos) << said;
}

TEST_F(Image, HolesAndZerosTakeNoRoomAndManyPiecesMakeATree) {
    std::string pieces;
    for (int i = 0; i < 2000; ++i)
        pieces += std::string(4096, static_cast<char>('a' + i % 26)) + std::string(4096, '\0');
    pieces += "end";
    os::write_file(tree / "pieces", pieces);
    os::write_file(tree / "zeros", std::string(8000000, '\0'));
    for (const auto kind : {Filesystem::ext2, Filesystem::ext3, Filesystem::ext4}) {
        disk.filesystem = kind;
        disk.size = 128_MiB;
        write_filesystem(disk, tree, image, runner);
        expect_clean();
        EXPECT_TRUE(debugfs("cat /pieces") == pieces) << name(kind);
        EXPECT_NE(debugfs("stat /zeros").find("Size: 8000000"), std::string::npos);
        EXPECT_NE(debugfs("stat /zeros").find("Blockcount: 0"), std::string::npos) << name(kind);
        fs::remove(image);
    }
}

TEST_F(Image, ManyNamesInOneDirectory) {
    disk.size = 256_MiB;
    fs::create_directory(tree / "d");
    for (unsigned i = 0; i < 1500; ++i)
        fs::create_symlink("x", tree / fmt::format("d/{}-{}", i, std::string(i % 200, 'n')));
    std::ofstream(tree / std::string(255, 'm')) << "longest";
    write_filesystem(disk, tree, image, runner);
    expect_clean();
    EXPECT_EQ(debugfs("cat /" + std::string(255, 'm')), "longest");
    const auto listed = debugfs("ls -p /d");
    EXPECT_EQ(std::ranges::count(listed, '\n'), 1502 + 1) << "entries, . and .., and an empty line";
}

TEST_F(Image, SameTreeGivesTheSameBytes) {
    const auto fill = [](const fs::path& where, const std::vector<std::string>& names) {
        for (const auto& name : names) {
            os::write_file(where / name, "content of " + name);
            const std::array<timespec, 2> times = {{{1, 1}, {kDate, 0}}};
            ::utimensat(AT_FDCWD, (where / name).c_str(), times.data(), 0);
        }
        const std::array<timespec, 2> times = {{{2, 2}, {kDate, 0}}};
        ::utimensat(AT_FDCWD, where.c_str(), times.data(), 0);
    };
    const auto other = work.path() / "other";
    fs::create_directories(other);
    fill(tree, {"a", "b", "c", "d"});
    fill(other, {"d", "b", "a", "c"});
    write_filesystem(disk, tree, image, runner);
    write_filesystem(disk, other, work.path() / "other.img", runner);
    EXPECT_TRUE(os::read_file(image) == os::read_file(work.path() / "other.img"));
}

TEST_F(Image, IsSparse) {
    disk.size = 1_GiB;
    os::write_file(tree / "data", std::string(20000000, 'x'));
    write_filesystem(disk, tree, image, runner);
    struct stat status {};
    ASSERT_EQ(::stat(image.c_str(), &status), 0);
    EXPECT_LT(status.st_blocks * 512, 21500000);
}

TEST_F(Image, OtherDisksTakeTheirPartOfTheTree) {
    Volume home = disk;
    home.name = "home";
    home.mount = "/home";
    Volume swap = disk;
    swap.filesystem = Filesystem::swap;
    swap.mount = "";
    Volume missing = disk;
    missing.mount = "/srv/data";
    const DiskLayout layout{{bare(disk), bare(home), bare(swap), bare(missing)}};
    fs::create_directories(tree / "home/joe");
    os::write_file(tree / "home/joe/file", "joe's\n");
    os::write_file(tree / "homes", "");
    fs::permissions(tree / "home", fs::perms(0711));
    fs::permissions(tree, fs::perms(0700));

    const auto root_part = part_for(disk, layout, tree);
    EXPECT_EQ(root_part, (TreePart{fs::canonical(tree), {fs::canonical(tree) / "home"}}));
    EXPECT_EQ(part_for(home, layout, tree), (TreePart{fs::canonical(tree) / "home", {}}));
    EXPECT_EQ(part_for(missing, layout, tree), (TreePart{}));

    write_filesystem(disk, root_part, image, runner);
    expect_clean();
    EXPECT_EQ(debugfs("cat /home/joe/file"), "");
    EXPECT_NE(debugfs("stat /home").find("Mode:  0711"), std::string::npos);
    EXPECT_NE(debugfs("stat /").find("Mode:  0755"), std::string::npos) << "the work directory's mode came through";
    fs::remove(image);
    write_filesystem(home, part_for(home, layout, tree), image, runner);
    expect_clean();
    EXPECT_EQ(debugfs("cat /joe/file"), "joe's\n");
    EXPECT_NE(debugfs("stat /").find("Mode:  0711"), std::string::npos);
}

TEST_F(Image, MountPointBehindALinkIsRefused) {
    fs::create_directory(work.path() / "host");
    fs::create_symlink(work.path() / "host", tree / "srv");
    Volume other = disk;
    for (const auto* mount : {"/srv", "/srv/data"}) {
        other.mount = mount;
        fs::create_directories(work.path() / "host/data");
        try {
            part_for(other, {{bare(disk), bare(other)}}, tree);
            FAIL() << mount;
        } catch (const Error& e) {
            EXPECT_EQ(e.message(), fmt::format("cannot mount at '{}': in the guest it is no directory, or reached "
                                               "through a link",
                                               mount));
        }
    }
}

TEST_F(Image, MissingMke2fsNamesThePackage) {
    struct NoPrograms final : os::CommandRunner {
        os::CommandResult run(const os::Command& command) override {
            throw error(ErrorKind::internal, "cannot run {}: No such file or directory", quote(command.argv[0]));
        }
    } none;
    try {
        write_empty(disk, image, none);
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::disk);
        EXPECT_EQ(e.message(),
                  "cannot write root.img: cannot run 'mke2fs': No such file or directory (install e2fsprogs)");
    }
    EXPECT_FALSE(fs::exists(image));
}

TEST_F(Image, EmptyFilesystemsOfEveryKind) {
    for (const auto kind : {Filesystem::ext2, Filesystem::ext3, Filesystem::ext4}) {
        disk.filesystem = kind;
        write_empty(disk, image, runner);
        expect_clean();
        const auto said = run({"blkid", "-p", "-o", "value", "-s", "TYPE", image});
        EXPECT_EQ(said, std::string(name(kind)) + "\n");
        fs::remove(image);
    }
}

}  // namespace
}  // namespace vprov::partition
