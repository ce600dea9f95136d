#include "config-render/boot_files.h"

#include <gtest/gtest.h>

#include "sample_plan.h"

namespace vprov::render {
namespace {

plan::Plan booted(const std::string& platform) {
    auto plan = sample_plan();
    partition::DiskPlan disk;
    disk.table = partition::Table::gpt;
    disk.volumes.resize(2);
    disk.volumes[1].mount = "/";
    disk.volumes[1].number = 2;
    disk.volumes[1].uuid = Uuid::derived("debian1", "root");
    plan.layout.disks = {disk};
    plan.boot.method = platform.empty() ? recipe::BootMethod::pvgrub : recipe::BootMethod::grub;
    plan.boot.platform = platform;
    plan.boot.filesystem = {"ext4", plan.layout.root().uuid_text(), "gpt", 2, "/boot/grub"};
    plan.boot.cmdline = "console=ttyS0 x='1'";
    plan.boot.timeout = 3;
    return plan;
}

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(GrubFiles, AreNoneWhereTheHypervisorLoadsTheKernel) {
    auto plan = booted("i386-pc");
    plan.boot.method = recipe::BootMethod::direct;
    EXPECT_TRUE(grub_files(plan, {"6.1.0-1-amd64"}).empty());
}

TEST(GrubFiles, SettingsAreWhatUpdateGrubReads) {
    EXPECT_EQ(file_at(grub_files(booted("i386-pc"), {"6.1"}), "/etc/default/grub.d/vprov.cfg").content,
              "# How vprov set up the boot loader of this guest. update-grub(8) reads this after /etc/default/grub.\n"
              "GRUB_TIMEOUT=3\n"
              "GRUB_CMDLINE_LINUX_DEFAULT=''\n"
              "GRUB_CMDLINE_LINUX='console=ttyS0 x='\\''1'\\'''\n"
              "GRUB_TERMINAL='console serial'\n"
              "GRUB_SERIAL_COMMAND='serial --unit=0 --speed=115200 --word=8 --parity=no --stop=1'\n");
    for (const auto* platform : {"x86_64-efi", ""})
        EXPECT_EQ(count_of(file_at(grub_files(booted(platform), {"6.1"}), "/etc/default/grub.d/vprov.cfg").content,
                           "GRUB_TERMINAL='console'\n"),
                  1U);
}

TEST(GrubFiles, TheMenuBeginsWithTheDefaultKernel) {
    const auto plan = booted("i386-pc");
    const auto uuid = plan.layout.root().uuid_text();
    const auto menu = file_at(grub_files(plan, {"6.1.0-2-amd64", "6.1.0-1-amd64"}), "/boot/grub/grub.cfg");
    EXPECT_EQ(menu.mode, 0444U);
    const auto first = menu.content.find("menuentry '");
    EXPECT_EQ(menu.content.substr(first, menu.content.find("\n}\n", first) + 3 - first),
              "menuentry 'Debian GNU/Linux' --class gnu-linux --class gnu --class os $menuentry_id_option "
              "'gnulinux-simple-" +
                  uuid +
                  "' {\n"
                  "\tload_video\n"
                  "\tinsmod gzio\n"
                  "\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi\n"
                  "\tinsmod ext2\n"
                  "\tinsmod part_gpt\n"
                  "\tsearch --no-floppy --fs-uuid --set=root " +
                  uuid +
                  "\n"
                  "\techo\t'Loading Linux 6.1.0-2-amd64 ...'\n"
                  "\tlinux\t/boot/vmlinuz-6.1.0-2-amd64 root=UUID=" +
                  uuid +
                  " ro console=ttyS0 x='1'\n"
                  "\techo\t'Loading initial ramdisk ...'\n"
                  "\tinitrd\t/boot/initrd.img-6.1.0-2-amd64\n"
                  "}\n");
    EXPECT_EQ(count_of(menu.content, "menuentry '"), 5U);
    EXPECT_EQ(count_of(menu.content, " ro single console=ttyS0"), 2U);
    EXPECT_EQ(count_of(menu.content, "\nset timeout=3\n"), 1U);
    EXPECT_EQ(count_of(menu.content, "\nterminal_output console serial\n"), 1U);
}

TEST(GrubFiles, ABootPartitionHasKernelsAtItsTop) {
    auto plan = booted("x86_64-efi");
    plan.boot.filesystem = {"xfs", "0a1b", "gpt", 1, "/grub"};
    const auto menu = file_at(grub_files(plan, {"6.1"}), "/boot/grub/grub.cfg").content;
    EXPECT_EQ(count_of(menu, "\tinsmod xfs\n"), 3U);
    EXPECT_EQ(count_of(menu, "--set=root 0a1b\n"), 3U);
    EXPECT_EQ(count_of(menu, "\tlinux\t/vmlinuz-6.1 root=UUID=" + plan.layout.root().uuid_text() + " ro "), 3U);
    EXPECT_EQ(count_of(menu, "\tinitrd\t/initrd.img-6.1\n"), 3U);
    EXPECT_EQ(count_of(menu, "\nserial "), 0U);
}

TEST(GrowFiles, AreForARootInAPartitionThatGrows) {
    auto plan = booted("i386-pc");
    EXPECT_TRUE(grow_files(plan).empty());
    plan.boot.grow = true;
    const auto files = grow_files(plan);
    ASSERT_EQ(files.size(), 3U);
    EXPECT_EQ(files[0].path, "/usr/local/sbin/grow-root-partition");
    EXPECT_EQ(files[0].mode, 0755U);
    EXPECT_TRUE(files[2].is_link);
    EXPECT_EQ(files[2].content, files[1].path);
    plan.layout.disks[0].volumes[1].number = 0;  // a bare disk: the file system alone grows
    EXPECT_TRUE(grow_files(plan).empty());
}

}  // namespace
}  // namespace vprov::render
