#include "partition/image/image.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "os/command.h"
#include "os/temp_dir.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t kDate = 1700000000;

class Image : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(tree);
        disk.name = "root";
        disk.image = "root.img";
        disk.size = 64_MiB;
        disk.mount = "/";
        disk.label = "root";
        disk.uuid = Uuid::derived("debian1", "disk root");
    }

    std::string run(std::vector<std::string> argv) {
        const os::Command command{std::move(argv), os::clean_environment(), "", {}};
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
    DiskPlan disk;
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
