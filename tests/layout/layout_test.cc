#include "partition/layout/layout.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "disks.h"

namespace vprov::partition {
namespace {

DiskPlan bare(const std::string& name, const std::string& guest, Bytes size, Filesystem filesystem,
              const std::string& mount) {
    DiskPlan disk;
    disk.name = name;
    disk.image = name + ".img";
    disk.guest = guest;
    disk.size = size;
    disk.volumes.emplace_back();
    disk.volumes[0].filesystem = filesystem;
    disk.volumes[0].mount = mount;
    disk.volumes[0].uuid.bytes.fill(0xab);
    return disk;
}

TEST(Layout, BareDisksAreDrawnWithAlignedColumns) {
    DiskLayout layout;
    layout.disks.push_back(bare("root", "xvda1", 2_GiB, Filesystem::ext4, "/"));
    layout.disks.push_back(bare("var-log", "xvda12", 1536_MiB, Filesystem::ext2, "/var/log"));
    layout.disks.back().volumes[0].label = "logs";
    layout.disks.push_back(bare("swap", "xvdb", 256_MiB, Filesystem::swap, ""));
    EXPECT_EQ(describe(layout),
              "root.img     xvda1      2G  ext4  /         UUID=abababab-abab-abab-abab-abababababab\n"
              "var-log.img  xvda12  1536M  ext2  /var/log  UUID=abababab-abab-abab-abab-abababababab  LABEL=logs\n"
              "swap.img     xvdb     256M  swap  -         UUID=abababab-abab-abab-abab-abababababab\n");
    EXPECT_EQ(describe({}), "");
}

TEST(Layout, TablesAreDrawnAsAMap) {
    auto gpt = disk_of(Table::gpt, 4_GiB, {fixed("esp", 64_MiB), fixed("root", 2_GiB), fixed("swap", 256_MiB)});
    gpt.volumes[0].role = Role::esp;
    gpt.volumes[0].filesystem = Filesystem::vfat;
    gpt.volumes[1].flags = {Flag::boot};
    gpt.volumes[2].role = Role::swap;
    gpt.volumes[2].filesystem = Filesystem::swap;
    place(gpt);
    EXPECT_EQ(describe({{gpt}}),
              "system.img  xvda  4G  gpt  raw  PTUUID=00000000-0000-0000-0000-0000000000ff\n"
              "           0          1M  -  -      gpt table\n"
              "          1M         64M  1  xvda1  esp         vfat  /esp   UUID=0000-0000  "
              "PARTUUID=00000000-0000-0000-0000-000000000000\n"
              "         65M          2G  2  xvda2  linux,boot  ext4  /root  UUID=00000000-0000-0000-0000-000000000000  "
              "PARTUUID=00000000-0000-0000-0000-000000000000\n"
              "       2113M        256M  3  xvda3  swap        swap  /swap  UUID=00000000-0000-0000-0000-000000000000  "
              "PARTUUID=00000000-0000-0000-0000-000000000000\n"
              "       2369M  1810873856  -  -      free\n"
              "  4294950400       16896  -  -      gpt backup\n");
}

TEST(Layout, TheRootIsTheVolumeMountedThere) {
    DiskLayout layout;
    layout.disks.push_back(bare("swap", "xvda1", 256_MiB, Filesystem::swap, ""));
    try {
        static_cast<void>(layout.root());
        FAIL() << "a root was found";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::internal);
        EXPECT_EQ(e.message(), "internal error: cannot find the root disk: no disk is mounted at '/'");
    }
    layout.disks.push_back(bare("root", "xvda2", 1_GiB, Filesystem::ext4, "/"));
    EXPECT_EQ(&layout.root(), &layout.disks[1].volumes[0]);
    EXPECT_EQ(layout.root_disk().name, "root");
}

TEST(Layout, FilesystemsAreNamedAsInFstab) {
    EXPECT_EQ(name(Filesystem::ext2), "ext2");
    EXPECT_EQ(name(Filesystem::btrfs), "btrfs");
    EXPECT_EQ(name(Filesystem::swap), "swap");
    EXPECT_EQ(name(Role::bios_boot), "bios-boot");
    EXPECT_EQ(name(Flag::no_automount), "no-automount");
    EXPECT_EQ(name(ImageFormat::vhdx), "vhdx");
}

TEST(Layout, IdentifiersAreWrittenAsTheKernelAndBlkidDo) {
    Volume volume;
    volume.uuid = *Uuid::parse("1A2b3c4d-0000-0000-0000-000000000000");
    EXPECT_EQ(volume.uuid_text(), "1a2b3c4d-0000-0000-0000-000000000000");
    volume.filesystem = Filesystem::vfat;
    EXPECT_EQ(volume.uuid_text(), "1A2B-3C4D");
    DiskPlan disk;
    disk.table = Table::mbr;
    disk.table_uuid = volume.uuid;
    volume.number = 11;
    EXPECT_EQ(partuuid_text(disk, volume), "1a2b3c4d-0b");
    EXPECT_EQ(partition_device("xvda", 1), "xvda1");
    EXPECT_EQ(partition_device("nvme0n1", 12), "nvme0n1p12");
}

}  // namespace
}  // namespace vprov::partition
