#include "partition/boot/grub_core.h"

#include <gtest/gtest.h>

namespace vprov::partition {
namespace {

using Words = std::vector<std::string>;

const BootFilesystem kOnGpt{"ext4", "0a1b-uuid", "gpt", 2, "/boot/grub"};
const BootFilesystem kOnMbr{"xfs", "0a1b-uuid", "msdos", 5, "/grub"};

TEST(GrubCore, OfABiosNamesThePartitionOnItsOwnDisk) {
    EXPECT_EQ(bios_core("i386-pc", kOnGpt),
              (GrubCore{"i386-pc", "(,gpt2)/boot/grub", "", {"ext2", "part_gpt", "biosdisk"}}));
    EXPECT_EQ(bios_core("i386-pc", kOnMbr),
              (GrubCore{"i386-pc", "(,msdos5)/grub", "", {"xfs", "part_msdos", "biosdisk"}}));
}

TEST(GrubCore, OfUefiSearches) {
    const BootFilesystem btrfs{"btrfs", "0a1b-uuid", "gpt", 3, "/boot/grub"};
    EXPECT_EQ(efi_core("x86_64-efi", btrfs),
              (GrubCore{"x86_64-efi",
                        "/boot/grub",
                        "search.fs_uuid 0a1b-uuid root\nset prefix=($root)'/boot/grub'\n",
                        {"btrfs", "part_gpt", "search_fs_uuid"}}));
    EXPECT_EQ(menu_of(btrfs),
              "search.fs_uuid 0a1b-uuid root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n");
}

TEST(GrubCore, IsMadeByGrubMkimage) {
    EXPECT_EQ(
        mkimage_argv(bios_core("i386-pc", kOnGpt), "/c", "/o"),
        (Words{"/usr/bin/grub-mkimage", "--directory", "/usr/lib/grub/i386-pc", "--format", "i386-pc", "--compression",
               "auto", "--prefix", "(,gpt2)/boot/grub", "--output", "/o", "ext2", "part_gpt", "biosdisk"}));
    EXPECT_EQ(mkimage_argv(efi_core("arm64-efi", kOnGpt), "/c", "/o"),
              (Words{"/usr/bin/grub-mkimage", "--directory", "/usr/lib/grub/arm64-efi", "--format", "arm64-efi",
                     "--compression", "auto", "--prefix", "/boot/grub", "--output", "/o", "--config", "/c", "ext2",
                     "part_gpt", "search_fs_uuid"}));
}

TEST(GrubPlatform, FollowsTheArchitecture) {
    EXPECT_EQ(bios_platform("amd64"), "i386-pc");
    EXPECT_EQ(bios_platform("arm64"), "");
    EXPECT_EQ(efi_platform("amd64"), "x86_64-efi");
    EXPECT_EQ(efi_platform("s390x"), "");
    EXPECT_EQ(removable_name("x86_64-efi"), "BOOTX64.EFI");
    EXPECT_EQ(removable_name("arm64-efi"), "BOOTAA64.EFI");
}

TEST(GrubEnvironment, IsABlockOfAKilobyte) {
    const auto block = empty_environment();
    EXPECT_EQ(block.size(), 1024U);
    EXPECT_EQ(block.find("##"), block.find("!!!\n") + 4);
    EXPECT_EQ(block.find_first_not_of('#', block.find("!!!\n") + 4), std::string::npos);
}

}  // namespace
}  // namespace vprov::partition
