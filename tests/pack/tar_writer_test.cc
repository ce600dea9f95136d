#include "bootstrap/pack/tar_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "os/fd.h"
#include "os/temp_dir.h"
#include "pack/read_tar.h"

namespace vprov::pack {
namespace {
namespace fs = std::filesystem;

class TarWriterTest : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directory(tree_);
        fs::create_directories(tree_ / "dev");
        fs::create_directories(tree_ / "usr/bin");
        os::write_file(tree_ / "usr/bin/b", "second", 0755);
        os::write_file(tree_ / "usr/bin/a", "first", 0644);
        ::chmod((tree_ / "usr/bin/b").c_str(), 04755);
        fs::create_hard_link(tree_ / "usr/bin/a", tree_ / "usr/bin/c");
        fs::create_symlink("usr/bin", tree_ / "bin");
        ::mkfifo((tree_ / "pipe").c_str(), 0600);
        ::mknod((tree_ / "socket").c_str(), S_IFSOCK | 0600, 0);
        set_times();
    }

    void set_times() const {
        const timespec times[2] = {{1'600'000'000, 5}, {1'600'000'000, 5}};
        for (const auto* path : {"usr/bin/a", "usr/bin/b", "usr/bin", "usr", "bin", "pipe", "dev", ""})
            ::utimensat(AT_FDCWD, (tree_ / path).c_str(), times, AT_SYMLINK_NOFOLLOW);
    }

    fs::path write(const TarOptions& options = {}) {
        auto path = work_.path() / fmt::format("{}.tar", ++count_);
        const auto fd = os::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
        write_tar(tree_, fd.get(), options);
        return path;
    }

    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
    fs::path tree_ = work_.path() / "tree";
    int count_ = 0;
};

TEST_F(TarWriterTest, EverythingInTheOrderOfNames) {
    EXPECT_EQ(read_tar(write()),
              "./ d 755 1600000000\n"
              "./bin l 777 1600000000 -> usr/bin\n"
              "./dev/ d 755 1600000000\n"
              "./pipe p 600 1600000000\n"
              "./usr/ d 755 1600000000\n"
              "./usr/bin/ d 755 1600000000\n"
              "./usr/bin/a f 644 1600000000 first\n"
              "./usr/bin/b f 4755 1600000000 second\n"
              "./usr/bin/c h 644 1600000000 link to ./usr/bin/a\n");
}

TEST_F(TarWriterTest, IsAsLongAsTarMakesIt) {
    constexpr std::uintmax_t kRecord = 10240;
    EXPECT_EQ(fs::file_size(write()), kRecord);
    os::write_file(tree_ / "large", std::string(3 << 20, 'x'));
    EXPECT_EQ(fs::file_size(write()), ((3U << 20) + kRecord) / kRecord * kRecord);
}

TEST_F(TarWriterTest, DevicesThatTheTreeHasNotAndLaterTimes) {
    const auto text = read_tar(write(
        {Compression::none, 1'500'000'000, {{"dev/null", S_IFCHR | 0666, 1, 3}, {"dev/tty", S_IFCHR | 0666, 5, 0}}}));
    EXPECT_NE(text.find("./dev/ d 755 1500000000\n"
                        "./dev/null c 666 1500000000 1,3\n"
                        "./dev/tty c 666 1500000000 5,0\n"
                        "./pipe p 600 1500000000\n"),
              std::string::npos)
        << text;
}

TEST_F(TarWriterTest, ExtendedAttributes) {
    const auto file = tree_ / "usr/bin/b";
    if (::setxattr(file.c_str(), "user.colour", "blue", 4, 0) != 0)
        GTEST_SKIP() << "this file system has no extended attributes";
    set_times();
    const auto text = read_tar(write());
    EXPECT_NE(text.find("./usr/bin/b f 4755 1600000000 second user.colour=blue\n"), std::string::npos) << text;
}

TEST_F(TarWriterTest, FileCapabilities) {
    const auto file = tree_ / "usr/bin/a";
    constexpr std::string_view kNetRaw(
        "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
    if (::setxattr(file.c_str(), "security.capability", kNetRaw.data(), kNetRaw.size(), 0) != 0)
        GTEST_SKIP() << "only root can set capabilities";
    const auto text = read_tar(write());
    EXPECT_NE(text.find(fmt::format("first security.capability={}\n", kNetRaw)), std::string::npos);
}

TEST_F(TarWriterTest, TheSameTreeIsTheSameBytes) {
    os::write_file(tree_ / "large", std::string(3 << 20, 'x'));
    for (const auto compression : {Compression::none, Compression::gzip, Compression::xz, Compression::zstd}) {
        const auto first = os::read_file(write({compression, 1'500'000'000, {}}));
        EXPECT_TRUE(first == os::read_file(write({compression, 1'500'000'000, {}})));
        EXPECT_EQ(first.size() < 1U << 20, compression != Compression::none);
    }
}

TEST_F(TarWriterTest, APipeThatClosesIsAnError) {
    auto pipe = os::make_pipe();
    pipe.read.reset();
    try {
        write_tar(tree_, pipe.write.get(), {});
        ADD_FAILURE() << "nobody read it";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::disk);
        EXPECT_EQ(e.message(), "cannot write the tar: Broken pipe");
    }
}

}  // namespace
}  // namespace vprov::pack
