#include "bootstrap/pack/squashfs.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "os/temp_dir.h"

namespace vprov::pack {
namespace {
namespace fs = std::filesystem;

TEST(Squashfs, IsMadeOfATarStream) {
    EXPECT_EQ(mksquashfs("/srv/tree.squashfs", 1'600'000'000).argv,
              (std::vector<std::string>{"mksquashfs", "-", "/srv/tree.squashfs", "-tar", "-comp", "zstd",
                                        "-no-progress", "-quiet", "-exit-on-error", "-mkfs-time", "1600000000"}));
}

TEST(Squashfs, HoldsTheTree) {
    if (!os::program_exists("mksquashfs") || !os::program_exists("unsquashfs"))
        GTEST_SKIP() << "squashfs-tools is not installed";
    const os::TempDir work(fs::temp_directory_path(), "vprov-test-");
    fs::create_directories(work.path() / "tree/etc");
    os::write_file(work.path() / "tree/etc/motd", "welcome\n");
    fs::create_symlink("motd", work.path() / "tree/etc/message");
    os::SystemCommandRunner runner;
    const auto image = work.path() / "tree.squashfs";
    write_squashfs(work.path() / "tree", image, {}, runner);
    os::Command list;
    list.argv = {"unsquashfs", "-no-progress", "-cat", image.native(), "etc/motd"};
    list.environment = os::clean_environment();
    EXPECT_EQ(runner.run(list).output, "welcome\n");
    list.argv = {"unsquashfs", "-d", "", "-l", image.native()};
    EXPECT_EQ(runner.run(list).output, "\n/etc\n/etc/message\n/etc/motd\n");
}

TEST(Squashfs, WhatMksquashfsSaysIsTold) {
    if (!os::program_exists("mksquashfs"))
        GTEST_SKIP() << "squashfs-tools is not installed";
    const os::TempDir work(fs::temp_directory_path(), "vprov-test-");
    fs::create_directories(work.path() / "tree");
    os::SystemCommandRunner runner;
    try {
        write_squashfs(work.path() / "tree", work.path() / "missing/tree.squashfs", {}, runner);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::disk);
        EXPECT_NE(e.message().find("tree.squashfs': mksquashfs - "), std::string::npos) << e.message();
        EXPECT_NE(e.message().find("No such file or directory"), std::string::npos) << e.message();
    }
}

}  // namespace
}  // namespace vprov::pack
