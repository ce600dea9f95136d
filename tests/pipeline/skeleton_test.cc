#include "pipeline/skeleton.h"

#include <gtest/gtest.h>

#include "os/temp_dir.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

class Skeleton : public testing::Test {
  protected:
    // A tree whose /bin is a link, as today's are.
    void SetUp() override {
        fs::create_directories(tree_ / "usr/bin/directory");
        fs::create_directory_symlink("usr/bin", tree_ / "bin");
        for (const auto* program : {"dash", "bash"}) os::write_file(tree_ / "usr/bin" / program, "ELF");
        fs::create_directories(made_ / "usr/bin");
        fs::create_directory_symlink("usr/bin", made_ / "bin");
    }

    const os::TempDir work_ = os::TempDir(fs::temp_directory_path(), "vprov-test-");
    const fs::path tree_ = work_.path() / "tree", made_ = work_.path() / "skeleton";
};

TEST_F(Skeleton, KnowsProgramsByTheirOwnPaths) {
    EXPECT_EQ(programs_of(tree_), (std::vector<std::string>{"/usr/bin/bash", "/usr/bin/dash"}));
}

TEST_F(Skeleton, WhatStandsInForAProgramIsFoundByWayOfALink) {
    const os::RootDir skeleton(made_);
    for (const auto* shell : {"/bin/bash", "/usr/bin/dash", "/bin/fish"})
        stand_in_for(shell, programs_of(tree_), skeleton);
    for (const auto* shell : {"/bin/bash", "/usr/bin/bash", "/bin/dash"}) EXPECT_TRUE(skeleton.exists(shell)) << shell;
    EXPECT_FALSE(skeleton.exists("/bin/fish"));
    EXPECT_EQ(fs::file_size(made_ / "usr/bin/bash"), 0U);
}

TEST_F(Skeleton, HasNothingOfPrograms) {
    EXPECT_TRUE(left_out_of_skeleton(tree_).contains("usr/bin/bash"));
    EXPECT_FALSE(is_in_skeleton("usr/bin/bash"));
    EXPECT_TRUE(is_in_skeleton("etc/passwd"));
    EXPECT_FALSE(is_in_skeleton("var/lib/dpkg/status"));
}

}  // namespace
}  // namespace vprov::pipeline
