#include "partition/layout/layout.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vprov::partition {
namespace {

DiskPlan disk(const std::string& name, const std::string& guest, Bytes size, Filesystem filesystem,
              const std::string& mount) {
    DiskPlan plan;
    plan.name = name;
    plan.image = name + ".img";
    plan.guest = guest;
    plan.size = size;
    plan.filesystem = filesystem;
    plan.mount = mount;
    plan.uuid.bytes.fill(0xab);
    return plan;
}

TEST(Layout, IsDrawnWithAlignedColumns) {
    DiskLayout layout;
    layout.disks.push_back(disk("root", "xvda1", 2_GiB, Filesystem::ext4, "/"));
    layout.disks.push_back(disk("var-log", "xvda12", 1536_MiB, Filesystem::ext2, "/var/log"));
    layout.disks.back().label = "logs";
    layout.disks.push_back(disk("swap", "xvdb", 256_MiB, Filesystem::swap, ""));
    EXPECT_EQ(describe(layout),
              "root.img     xvda1      2G  ext4  /         UUID=abababab-abab-abab-abab-abababababab\n"
              "var-log.img  xvda12  1536M  ext2  /var/log  UUID=abababab-abab-abab-abab-abababababab  LABEL=logs\n"
              "swap.img     xvdb     256M  swap  -         UUID=abababab-abab-abab-abab-abababababab\n");
    EXPECT_EQ(describe({}), "");
}

TEST(Layout, TheRootIsTheDiskMountedThere) {
    DiskLayout layout;
    layout.disks.push_back(disk("swap", "xvda1", 256_MiB, Filesystem::swap, ""));
    try {
        static_cast<void>(layout.root());
        FAIL() << "a root was found";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::internal);
        EXPECT_EQ(e.message(), "internal error: cannot find the root disk: no disk is mounted at '/'");
    }
    layout.disks.push_back(disk("root", "xvda2", 1_GiB, Filesystem::ext4, "/"));
    EXPECT_EQ(layout.root().name, "root");
}

TEST(Layout, FilesystemsAreNamedAsInFstab) {
    EXPECT_EQ(name(Filesystem::ext2), "ext2");
    EXPECT_EQ(name(Filesystem::ext3), "ext3");
    EXPECT_EQ(name(Filesystem::ext4), "ext4");
    EXPECT_EQ(name(Filesystem::swap), "swap");
}

}  // namespace
}  // namespace vprov::partition
