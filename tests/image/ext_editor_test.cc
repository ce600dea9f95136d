#include "partition/image/ext_editor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "os/command.h"
#include "os/file_copy.h"
#include "os/temp_dir.h"
#include "partition/image/image.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t kDate = 1'700'000'000;

class ExtEditorTest : public testing::TestWithParam<Filesystem> {
  protected:
    void SetUp() override {
        fs::create_directories(tree / "etc/deep");
        fs::create_directories(tree / "usr/lib");
        fs::create_symlink("usr/lib", tree / "lib");
        os::write_file(tree / "etc/hostname", "base\n");
        os::write_file(tree / "etc/twin", "shared\n");
        fs::create_hard_link(tree / "etc/twin", tree / "etc/other-twin");
        make_fragmented_file();
        for (int i = 0; i < 600; ++i) os::write_file(tree / fmt::format("usr/lib/a-rather-long-name-{}", i), "");
        const std::string large(300, 'x');  // more than an inode holds: a block of attributes
        if (::setxattr((tree / "etc/hostname").c_str(), "user.note", large.data(), large.size(), 0) != 0)
            attributes = false;
        disk.name = "root";
        disk.size = 192_MiB;  // with a backup of the superblock
        disk.mount = "/";
        disk.filesystem = GetParam();
        disk.uuid = Uuid::derived("base", "disk");
        write_filesystem(disk, tree, image, runner);
    }

    // More pieces than an inode has room for.
    void make_fragmented_file() const {
        const auto file = os::open_file(tree / "etc/deep/sparse", O_WRONLY | O_CREAT);
        for (off_t i = 0; i < 40; ++i) ASSERT_EQ(::pwrite(file.get(), "x", 1, i * 16384), 1);
    }

    std::string run(std::vector<std::string> argv) {
        const os::Command command{std::move(argv), os::clean_environment(), "", -1, {}};
        const auto result = runner.run(command);
        EXPECT_TRUE(result.ok()) << os::describe_failure(command, result);
        return result.output;
    }
    std::string debugfs(const std::string& request) { return run({"debugfs", "-R", request, image}); }
    void expect_clean() {
        run({"e2fsck", "-fn", image});
        const auto copy = work.path() / "checked";
        fs::copy_file(image, copy, fs::copy_options::overwrite_existing);
        EXPECT_NE(run({"e2fsck", "-p", copy}).find(": clean, "), std::string::npos) << "a guest would check it first";
    }

    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    fs::path tree = work.path() / "tree", image = work.path() / "root.img";
    Volume disk;
    os::SystemCommandRunner runner;
    bool attributes = true;
};

TEST_P(ExtEditorTest, FilesComeGoAndAreReplaced) {
    ExtEditor editor(image, {0}, kDate);
    editor.write_file("/etc/hostname", {0640, 7, 70000}, "web1\n");
    editor.write_file("/etc/twin", {}, std::string(10000, 'y'));
    editor.write_file("/etc/empty", {}, "");
    editor.make_directory("/home", {});
    editor.make_directory("/home/joe", {0700, 1000, 1000});
    editor.make_directory("/etc", {0700, 5, 5});
    editor.write_file("/home/joe/.profile", {0600, 1000, 1000}, "export A=1\n");
    editor.make_link("/lib/link", {}, "../target");
    editor.make_link("/etc/long", {}, std::string(200, 'l'));
    editor.remove("/usr/lib/a-rather-long-name-17");
    editor.remove("/no/such/file");
    EXPECT_TRUE(editor.exists("/usr/lib/link"));
    EXPECT_FALSE(editor.exists("/usr/lib/a-rather-long-name-17"));
    editor.finish();
    expect_clean();
    EXPECT_EQ(debugfs("cat /etc/hostname"), "web1\n");
    EXPECT_EQ(debugfs("cat /etc/twin"), std::string(10000, 'y'));
    EXPECT_EQ(debugfs("cat /etc/other-twin"), "shared\n");
    EXPECT_EQ(debugfs("cat /home/joe/.profile"), "export A=1\n");
    const auto status = debugfs("stat /etc/hostname");
    EXPECT_NE(status.find("Mode:  0640"), std::string::npos) << status;
    EXPECT_NE(status.find("User:     7   Group: 70000"), std::string::npos) << status;
    EXPECT_NE(status.find("Links: 1"), std::string::npos) << status;
    EXPECT_NE(debugfs("stat /etc").find("Mode:  0755"), std::string::npos);
    EXPECT_NE(debugfs("stat /usr/lib/link").find("Fast link dest: \"../target\""), std::string::npos);
}

TEST_P(ExtEditorTest, AnotherUuidChangesEveryChecksum) {
    const auto uuid = Uuid::derived("web1", "disk root");
    ExtEditor editor(image, {0}, kDate);
    editor.set_uuid(uuid);
    editor.finish();
    expect_clean();
    EXPECT_NE(run({"blkid", "-p", "-o", "export", image}).find("UUID=" + uuid.text()), std::string::npos);
    EXPECT_EQ(debugfs("cat /etc/hostname"), "base\n");
    if (attributes) {
        EXPECT_NE(debugfs("ea_list /etc/hostname").find("user.note (300)"), std::string::npos);
    }
}

TEST_P(ExtEditorTest, TheSameChangesAreTheSameBytes) {
    const auto copy = work.path() / "copy.img";
    os::copy_file(image, copy, 0600);
    for (const auto& place : {image, copy}) {
        ExtEditor editor(place, {0}, kDate);
        editor.set_uuid(Uuid::derived("web1", "disk root"));
        for (int i = 0; i < 300; ++i)
            editor.write_file(fmt::format("/etc/deep/another-rather-long-name-{}", i), {}, "content");
        editor.overwrite("/etc/twin", 2, "AR");
        editor.finish();
    }
    expect_clean();
    EXPECT_EQ(debugfs("cat /etc/other-twin"), "shARed\n");
    EXPECT_TRUE(os::read_file(image) == os::read_file(copy));
}

TEST_P(ExtEditorTest, ADirectoryIsNotReplaced) {
    ExtEditor editor(image, {0}, kDate);
    try {
        editor.write_file("/etc/deep", {}, "x");
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_STREQ(e.what(), "cannot write '/etc/deep' in the image: it is a directory");
    }
}

INSTANTIATE_TEST_SUITE_P(All, ExtEditorTest, testing::Values(Filesystem::ext2, Filesystem::ext3, Filesystem::ext4),
                         [](const auto& tested) { return std::string(name(tested.param)); });

// On a disk, and in memory, where there is nothing to write to directly.
TEST(CopyFile, IsTheSameOfAnySize) {
    for (const auto& folder : {fs::temp_directory_path(), fs::path("/dev/shm")}) {
        if (!fs::is_directory(folder))
            continue;
        const os::TempDir work(folder, "vprov-test-");
        for (const std::size_t size : {0, 1, 4095, 4096, 4097, 64 << 20, (65 << 20) + 1234}) {
            std::string content(size, '\0');
            for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 2654435761U >> 24);
            const auto from = work.path() / std::to_string(size), to = work.path() / (std::to_string(size) + ".copy");
            os::write_file(from, content);
            os::copy_file(from, to, 0600);
            EXPECT_TRUE(os::read_file(to) == content) << size << " bytes in " << folder;
            fs::remove(from);
            fs::remove(to);
        }
    }
}

TEST(CopyFile, KeepsHoles) {
    const os::TempDir work(fs::temp_directory_path(), "vprov-test-");
    const auto from = work.path() / "from", to = work.path() / "to";
    {
        const auto file = os::open_file(from, O_WRONLY | O_CREAT);
        ASSERT_EQ(::ftruncate(file.get(), 64 << 20), 0);
        ASSERT_EQ(::pwrite(file.get(), "middle", 6, 32 << 20), 6);
    }
    os::copy_file(from, to, 0600);
    EXPECT_TRUE(os::read_file(from) == os::read_file(to));
    struct stat status {};
    ::stat(to.c_str(), &status);
    EXPECT_LT(status.st_blocks * 512, 1 << 20);
    EXPECT_THROW(os::copy_file(from, to, 0600), Error);
}

}  // namespace
}  // namespace vprov::partition
