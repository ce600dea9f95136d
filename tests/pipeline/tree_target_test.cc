#include "pipeline/tree_target.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "os/temp_dir.h"
#include "pipeline/join_directories.h"
#include "pipeline/tree_text.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

TEST(TargetOf, NamesTellTheKind) {
    using pack::Compression;
    const auto is = [](std::string_view word, TargetKind kind, Compression compression = Compression::none) {
        const auto target = target_of(word);
        return target == TreeTarget{kind, fs::path(word), compression};
    };
    EXPECT_EQ(target_of("-"), (TreeTarget{TargetKind::stream, {}, Compression::none}));
    EXPECT_TRUE(is("/srv/tree", TargetKind::directory));
    EXPECT_TRUE(is("/srv/tree.d", TargetKind::directory));
    EXPECT_TRUE(is("/srv/tree.tar", TargetKind::tar));
    EXPECT_TRUE(is("/srv/tree.tar.gz", TargetKind::tar, Compression::gzip));
    EXPECT_TRUE(is("/srv/tree.tgz", TargetKind::tar, Compression::gzip));
    EXPECT_TRUE(is("/srv/tree.tar.xz", TargetKind::tar, Compression::xz));
    EXPECT_TRUE(is("/srv/tree.tar.zst", TargetKind::tar, Compression::zstd));
    EXPECT_TRUE(is("/srv/tree.squashfs", TargetKind::squashfs));
    EXPECT_TRUE(is("/srv/tree.ext4", TargetKind::ext4));
    EXPECT_EQ(target_of("/srv/x.tar/"), (TreeTarget{TargetKind::directory, "/srv/x.tar", Compression::none}));
    EXPECT_EQ(target_of("here").path, fs::current_path() / "here");
}

class Target : public testing::Test {
  protected:
    void make(const std::string& path, std::string_view content = "x") const {
        fs::create_directories((work_.path() / path).parent_path());
        os::write_file(work_.path() / path, content);
    }
    std::string refusal(const fs::path& target, Content allowed) const {
        try {
            check_target(target_of((work_.path() / target).native()), allowed);
            return "";
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::usage);
            return e.message().substr(e.message().find("': ") + 3);
        }
    }
    void publish(const TreeTarget& target) {
        const auto work = make_work_directory(target);
        make_tree(work.path() / "root");
        os::SystemCommandRunner runner;
        publish_tree(work.path() / "root", work.path(), target, {}, runner);
    }
    static void make_tree(const fs::path& root) {
        fs::create_directories(root / "etc");
        os::write_file(root / "etc/motd", "ours");
        fs::create_symlink("etc", root / "link");
        ::chmod(root.c_str(), 0755);
    }
    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
};

TEST_F(Target, WhatIsRefused) {
    make("full/file");
    make("system/var/lib/dpkg/status", "Package: dpkg\n");
    fs::create_directories(work_.path() / "new/lost+found");
    fs::create_directories(work_.path() / "folder.tar");
    EXPECT_EQ(refusal("missing", Content::nothing), "");
    EXPECT_EQ(refusal("new", Content::nothing), "");
    EXPECT_EQ(refusal("full", Content::nothing), "it is not an empty directory");
    EXPECT_EQ(refusal("full", Content::anything), "");
    EXPECT_EQ(refusal("full/file", Content::anything), "it is no directory");
    EXPECT_EQ(refusal("system", Content::anything), "it holds an installed system");
    EXPECT_EQ(refusal("folder.tar", Content::nothing), "");  // a directory whatever its name is
    EXPECT_THROW(check_target(target_of("/"), Content::anything), Error);
}

TEST_F(Target, AMissingOrEmptyDirectoryIsReplaced) {
    fs::create_directories(work_.path() / "empty");
    for (const auto* name : {"empty", "below/missing"}) {
        publish(target_of((work_.path() / name).native()));
        EXPECT_EQ(tree_text(work_.path() / name), "etc/\netc/motd=ours\nlink->etc\n");
    }
    EXPECT_EQ(tree_text(work_.path() / "below").find(".missing-build"), std::string::npos);
}

TEST_F(Target, ADirectoryWithContentIsJoined) {
    make("full/etc/motd", "theirs");
    make("full/etc/hosts", "theirs");
    make("full/other", "theirs");
    publish(target_of((work_.path() / "full").native()));
    EXPECT_EQ(tree_text(work_.path() / "full"), "etc/\netc/hosts=theirs\netc/motd=ours\nlink->etc\nother=theirs\n");
}

TEST_F(Target, JoiningFollowsNoLink) {
    make("outside/motd", "theirs");
    fs::create_directories(work_.path() / "full");
    fs::create_symlink(work_.path() / "outside", work_.path() / "full/etc");
    make_tree(work_.path() / "tree");
    try {
        join_directories(work_.path() / "tree", work_.path() / "full");
        FAIL() << "etc is a link there";
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), fmt::format("cannot move the tree to '{}': 'etc' is there, and it is no directory",
                                           (work_.path() / "full").native()));
    }
    EXPECT_EQ(tree_text(work_.path() / "outside"), "motd=theirs\n");
}

TEST_F(Target, AFileAppearsWhole) {
    const auto path = work_.path() / "tree.tar";
    os::write_file(path, "an earlier one");
    publish(target_of(path.native()));
    EXPECT_NE(os::read_file(path).find("./etc/motd"), std::string::npos);
    std::size_t entries = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(work_.path())) ++entries;
    EXPECT_EQ(entries, 1U);
}

TEST_F(Target, AnExt4ImageHasRoomForTheTree) {
    if (!os::program_exists("mke2fs") || !os::program_exists("debugfs"))
        GTEST_SKIP() << "e2fsprogs is not installed";
    const auto path = work_.path() / "tree.ext4";
    publish(target_of(path.native()));
    EXPECT_EQ(fs::file_size(path) % (1 << 20), 0U);
    EXPECT_GE(fs::file_size(path), 256U << 20);
    os::SystemCommandRunner runner;
    os::Command show;
    show.argv = {"debugfs", "-R", "cat /etc/motd", path.native()};
    show.environment = os::clean_environment();
    EXPECT_EQ(runner.run(show).output, "ours");
}

}  // namespace
}  // namespace vprov::pipeline
