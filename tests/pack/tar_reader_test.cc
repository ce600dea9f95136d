#include "bootstrap/pack/tar_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/pack/tar_writer.h"
#include "os/fd.h"
#include "os/temp_dir.h"
#include "pack/read_tar.h"

namespace vprov::pack {
namespace {
namespace fs = std::filesystem;

// Whatever write_tar() has written comes back, so that writing it again gives the same bytes.
TEST(ReadTar, GivesBackWhatWasWritten) {
    const os::TempDir work(fs::temp_directory_path(), "vprov-test-");
    const auto tree = work.path() / "tree", again = work.path() / "again";
    fs::create_directories(tree / "usr/bin");
    os::write_file(tree / "usr/bin/a", std::string(3'000'000, 'a'), 0644);
    os::write_file(tree / "usr/bin/b", "", 0644);
    ::chmod((tree / "usr/bin/b").c_str(), 06755);
    fs::create_hard_link(tree / "usr/bin/a", tree / "usr/bin/c");
    fs::create_hard_link(tree / "usr/bin/a", tree / "first");
    fs::create_symlink("usr/bin", tree / "bin");
    fs::create_directory(tree / "closed");
    os::write_file(tree / "closed/inside", "x", 0600);
    ::chmod((tree / "closed").c_str(), 01500);
    ::mkfifo((tree / "pipe").c_str(), 0600);
    if (::geteuid() == 0) {
        ASSERT_EQ(::lchown((tree / "bin").c_str(), 5, 60), 0);
    }
    const timespec times[2] = {{1'600'000'000, 0}, {1'600'000'000, 0}};
    for (const auto* path : {"usr/bin/a", "usr/bin", "closed/inside", "closed", "bin", ""})
        ::utimensat(AT_FDCWD, (tree / path).c_str(), times, AT_SYMLINK_NOFOLLOW);
    const auto write = [&](const fs::path& from, const char* name) {
        const auto fd = os::open_file(work.path() / name, O_WRONLY | O_CREAT | O_EXCL, 0644);
        write_tar(from, fd.get(), {});
        return work.path() / name;
    };
    const auto tar = write(tree, "one.tar");
    fs::create_directory(again);
    read_tar(tar, os::RootDir(again));
    EXPECT_EQ(read_tar(write(again, "two.tar")), read_tar(tar));
    EXPECT_EQ(os::read_file(work.path() / "two.tar"), os::read_file(tar));
    struct stat first {
    }, third{};
    ::stat((again / "first").c_str(), &first);
    ::stat((again / "usr/bin/c").c_str(), &third);
    EXPECT_EQ(first.st_ino, third.st_ino);
    ::chmod((tree / "closed").c_str(), 0700);
    ::chmod((again / "closed").c_str(), 0700);
}

}  // namespace
}  // namespace vprov::pack
