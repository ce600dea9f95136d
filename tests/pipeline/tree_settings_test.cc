#include "pipeline/tree_settings.h"

#include <gtest/gtest.h>

#include "os/temp_dir.h"
#include "pipeline/tree_text.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

class TreeSettings : public testing::Test {
  protected:
    TreeSettings() { fs::create_directory(work_.path() / "tree"); }
    std::string tree() const { return tree_text(work_.path() / "tree"); }
    os::RootDir root() const { return os::RootDir(work_.path() / "tree"); }
    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
};

TEST_F(TreeSettings, SourcesAsDebootstrapWritesThem) {
    plan::Plan plan;
    const fs::path keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    plan.repositories = {{"http://mirror.example.org/debian", "trixie", {"main", "contrib"}, keyring},
                         {"http://mirror.example.org/debian", "trixie-updates", {"main"}, {}, true}};
    write_sources(root(), plan);
    EXPECT_EQ(tree(),
              "etc/\netc/apt/\n"
              "etc/apt/sources.list=deb http://mirror.example.org/debian trixie main contrib\n"
              "deb [trusted=yes] http://mirror.example.org/debian trixie-updates main\n\n");
}

TEST_F(TreeSettings, TheHostsResolverAndNameWhereTheTreeHasNone) {
    fs::create_directories(work_.path() / "host/etc");
    os::write_file(work_.path() / "host/etc/stub-resolv.conf", "nameserver 192.0.2.1\n");
    fs::create_symlink("stub-resolv.conf", work_.path() / "host/etc/resolv.conf");
    os::write_file(work_.path() / "host/etc/hostname", "host\n");
    root().write("/etc/hostname", "guest\n");
    copy_host_settings(root(), work_.path() / "host");
    EXPECT_EQ(tree(),
              "etc/\n"
              "etc/fstab=# UNCONFIGURED FSTAB FOR BASE SYSTEM\n\n"
              "etc/hostname=guest\n\n"
              "etc/resolv.conf=nameserver 192.0.2.1\n\n");
}

}  // namespace
}  // namespace vprov::pipeline
