#include "plan/boot.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "facts.h"
#include "plan/describe.h"

namespace vprov::plan {
namespace {
using partition::Filesystem;
using partition::Role;
using Words = std::vector<std::string>;

Plan booted(const std::string& text, const std::string& architecture = "amd64") {
    auto facts = plain_facts();
    facts.architecture = architecture;
    return make_plan(recipe::parse("name = \"g1\"\n" + text, "/r/g1.toml"), facts, {"/out", "/cache"});
}

std::string refusal(const std::string& text, const std::string& architecture = "amd64") {
    try {
        booted(text, architecture);
    } catch (const Error& e) {
        return e.message();
    }
    return "none";
}

std::string disk(const std::string& table, const std::string& filesystem = "ext4", const std::string& more = {}) {
    return "[[disk]]\nsize = \"2G\"\ntable = \"" + table + "\"\n" + more +
           "[[disk.partition]]\nsize = \"rest\"\nfilesystem = \"" + filesystem + "\"\nmount = \"/\"\n";
}

std::string boot(const std::string& keys) {
    return "[boot]\n" + keys;
}

bool has(const Plan& plan, const std::string& package) {
    return std::ranges::find(plan.include, package) != plan.include.end();
}

TEST(PlannedBoot, IsDirectWithAndWithoutPartitions) {
    const auto plan = booted(disk("gpt"));
    EXPECT_EQ(plan.boot, BootPlan{});
    EXPECT_EQ(plan.layout.disks[0].volumes.size(), 1U);
    EXPECT_EQ(guest_of(plan).kernel, "/out/g1/vmlinuz");
}

TEST(PlannedBoot, AGptGetsABiosBootPartition) {
    const auto plan = booted(disk("gpt", "xfs") + boot("method = \"grub\"\n"));
    const auto& volumes = plan.layout.disks[0].volumes;
    ASSERT_EQ(volumes.size(), 2U);
    EXPECT_EQ(volumes[0].role, Role::bios_boot);
    EXPECT_EQ(volumes[0].filesystem, Filesystem::none);
    EXPECT_EQ(volumes[0].start, 1_MiB);
    EXPECT_EQ(volumes[0].size, 1_MiB);
    EXPECT_EQ(plan.boot.added, Words{"a BIOS boot partition of 1M on root"});
    EXPECT_EQ(plan.boot.platform, "i386-pc");
    EXPECT_EQ(plan.boot.package, "grub-pc");
    EXPECT_TRUE(has(plan, "grub-pc"));
    EXPECT_EQ(plan.boot.filesystem,
              (partition::BootFilesystem{"xfs", plan.layout.root().uuid_text(), "gpt", 2, "/boot/grub"}));
    EXPECT_EQ(plan.boot.cmdline, "console=tty0 console=hvc0 console=ttyS0,115200");
    EXPECT_EQ(plan.kernel_cmdline, "root=UUID=" + plan.layout.root().uuid_text() + " ro " + plan.boot.cmdline);
}

TEST(PlannedBoot, AnMbrHasItsGap) {
    const auto plan = booted(disk("mbr") + boot("method = \"grub\"\n"));
    EXPECT_EQ(plan.layout.disks[0].volumes.size(), 1U);
    EXPECT_EQ(plan.boot.added, Words{});
    EXPECT_EQ(plan.boot.filesystem.map, "msdos");
    EXPECT_EQ(plan.boot.filesystem.number, 1U);
}

TEST(PlannedBoot, UefiGetsASystemPartition) {
    const auto plan = booted(disk("gpt") + boot("firmware = \"uefi\"\nsecure_boot = true\ntimeout = 7\n"));
    const auto& volumes = plan.layout.disks[0].volumes;
    ASSERT_EQ(volumes.size(), 2U);
    EXPECT_EQ(volumes[0].role, Role::esp);
    EXPECT_EQ(volumes[0].filesystem, Filesystem::vfat);
    EXPECT_EQ(volumes[0].mount, "/boot/efi");
    EXPECT_EQ(volumes[0].size, 128_MiB);
    EXPECT_EQ(plan.boot.added, Words{"an EFI system partition of 128M on root"});
    EXPECT_EQ(plan.boot.esp, "/boot/efi");
    EXPECT_EQ(plan.boot.platform, "x86_64-efi");
    EXPECT_EQ(plan.boot.timeout, 7U);
    for (const auto* package : {"grub-efi-amd64", "grub-efi-amd64-signed", "shim-signed", "dosfstools"})
        EXPECT_TRUE(has(plan, package)) << package;
}

TEST(PlannedBoot, WhatIsThereIsNotAddedAgain) {
    const auto esp =
        "[[disk]]\nsize = \"2G\"\ntable = \"gpt\"\n"
        "[[disk.partition]]\nsize = \"rest\"\nfilesystem = \"btrfs\"\nmount = \"/\"\n"
        "[[disk.partition]]\nsize = \"260M\"\ntype = \"esp\"\n";
    const auto uefi = booted(esp + boot("firmware = \"uefi\"\n"));
    EXPECT_EQ(uefi.boot.added, Words{});
    EXPECT_EQ(uefi.layout.disks[0].volumes.size(), 2U);
    EXPECT_EQ(uefi.boot.esp, "/boot/efi");
    const auto bios_boot =
        "[[disk]]\nsize = \"2G\"\ntable = \"gpt\"\n"
        "[[disk.partition]]\nsize = \"rest\"\nfilesystem = \"ext4\"\nmount = \"/\"\n"
        "[[disk.partition]]\nsize = \"2M\"\ntype = \"bios-boot\"\n";
    EXPECT_EQ(booted(bios_boot + boot("firmware = \"bios\"\n")).boot.added, Words{});
}

TEST(PlannedBoot, GrubIsReadFromABootPartition) {
    const auto plan =
        booted(disk("mbr", "xfs", "[[disk.partition]]\nsize = \"300M\"\nfilesystem = \"ext2\"\nmount = \"/boot\"\n") +
               boot("method = \"grub\"\n"));
    EXPECT_EQ(plan.boot.filesystem.type, "ext2");
    EXPECT_EQ(plan.boot.filesystem.number, 1U);
    EXPECT_EQ(plan.boot.filesystem.directory, "/grub");
    EXPECT_NE(plan.boot.filesystem.uuid, plan.layout.root().uuid_text());
}

TEST(PlannedBoot, OtherArchitecturesHaveTheirs) {
    const auto plan = booted(disk("gpt") + boot("firmware = \"uefi\"\n"), "arm64");
    EXPECT_EQ(plan.boot.platform, "arm64-efi");
    EXPECT_TRUE(has(plan, "grub-efi-arm64"));
    EXPECT_EQ(plan.boot.cmdline, "console=tty0 console=hvc0 console=ttyAMA0,115200");
    EXPECT_EQ(refusal(disk("gpt") + boot("method = \"grub\"\n"), "arm64"),
              "/r/g1.toml: cannot boot the guest by GRUB: there is none for a BIOS with arm64");
}

TEST(PlannedBoot, RefusesWhatCannotStart) {
    const auto bare = "[[disk]]\nsize = \"2G\"\nfilesystem = \"ext4\"\nmount = \"/\"\n" + boot("method = \"grub\"\n");
    EXPECT_EQ(refusal(bare),
              "/r/g1.toml: cannot boot the guest by GRUB: the disk with /boot has no partitions: give it table = "
              "\"gpt\", or use method \"pvgrub\" or \"direct\"");
    EXPECT_EQ(refusal("[[disk]]\nsize = \"64M\"\nfilesystem = \"swap\"\n" + disk("gpt") + boot("method = \"grub\"\n")),
              "/r/g1.toml: cannot boot the guest by GRUB: a BIOS starts the first disk, and /boot is on 'root'");
    EXPECT_EQ(refusal(disk("gpt", "ext4", "sector_size = 4096\n") + boot("method = \"grub\"\n")),
              "/r/g1.toml: cannot boot the guest by GRUB: a BIOS starts no disk with sectors of 4096 bytes: use "
              "firmware = \"uefi\"");
    EXPECT_EQ(
        refusal(disk("gpt") + boot("method = \"grub\"\n") + "[system.kernel]\npackage = \"\"\n"),
        "/r/g1.toml: cannot boot the guest by GRUB: it starts the guest's own kernel, and the recipe gives it none");
    EXPECT_EQ(refusal(disk("gpt") + boot("method = \"pvgrub\"\n"), "arm64"),
              "/r/g1.toml: cannot boot the guest by GRUB: Xen has none for arm64");
}

TEST(PlannedBoot, RootGrowsWithItsPartition) {
    const auto plan = booted(disk("gpt") + boot("grow = true\n"));
    EXPECT_EQ(plan.layout.root().options, "errors=remount-ro,x-systemd.growfs");
    EXPECT_TRUE(has(plan, "fdisk"));
    const auto bare = plan_of(boot("grow = true\n"));
    EXPECT_EQ(bare.layout.root().options, "errors=remount-ro,x-systemd.growfs");
    EXPECT_FALSE(has(bare, "fdisk"));
}

TEST(PlannedBoot, RootGrowsAsALogicalPartition) {
    const auto plan = booted(
        "[[disk]]\nsize = \"2G\"\ntable = \"mbr\"\n"
        "[[disk.partition]]\nsize = \"256M\"\nfilesystem = \"ext4\"\nmount = \"/boot\"\n"
        "[[disk.partition]]\nsize = \"rest\"\nfilesystem = \"xfs\"\nmount = \"/\"\nlogical = true\n" +
        boot("method = \"grub\"\ngrow = true\n"));
    EXPECT_EQ(plan.layout.root().number, 5U);
    EXPECT_EQ(plan.layout.root().options, "defaults,x-systemd.growfs");
    EXPECT_TRUE(has(plan, "fdisk"));
}

TEST(PlannedBoot, RootThatCannotGrowIsRefused) {
    EXPECT_EQ(refusal("[[disk]]\nsize = \"2G\"\ntable = \"gpt\"\n"
                      "[[disk.partition]]\nsize = \"1G\"\nfilesystem = \"ext4\"\nmount = \"/\"\n"
                      "[[disk.partition]]\nsize = \"64M\"\nfilesystem = \"swap\"\n" +
                      boot("grow = true\n")),
              "/r/g1.toml: cannot let root grow: 'swap' lies behind it on 'root'");
    EXPECT_EQ(refusal(disk("gpt", "ext2") + boot("grow = true\n")),
              "/r/g1.toml: cannot let root grow: ext2 cannot while it is mounted");
}

TEST(PlannedBoot, IsDescribed) {
    const auto section = [](const Plan& plan) {
        const auto text = describe(plan);
        const auto start = text.find("\nBoot\n");
        return start == std::string::npos ? "none" : text.substr(start + 1, text.find("\n\n", start) - start);
    };
    EXPECT_EQ(section(booted(disk("gpt"))), "none");
    EXPECT_EQ(section(booted(disk("gpt") + boot("firmware = \"uefi\"\nsecure_boot = true\ngrow = true\n"))),
              "Boot\n"
              "  by             GRUB, which UEFI loads, signed for Secure Boot\n"
              "  added          an EFI system partition of 128M on root\n"
              "  menu           waits 1 s\n"
              "  root           grows with its disk\n");
}

TEST(GuestOf, AFirmwareGetsDisksThatItSees) {
    const auto guest = guest_of(
        booted(disk("gpt") + "[[disk]]\nsize = \"64M\"\nfilesystem = \"swap\"\n" + boot("firmware = \"uefi\"\n")));
    EXPECT_EQ(guest.type, hypervisor::GuestType::hvm);
    EXPECT_EQ(guest.firmware, hypervisor::Firmware::uefi);
    EXPECT_EQ(guest.boot, "c");
    EXPECT_EQ(guest.serial, Words{"pty"});
    EXPECT_EQ(guest.kernel + guest.ramdisk + guest.cmdline, "");
    ASSERT_EQ(guest.disks.size(), 2U);
    EXPECT_EQ(guest.disks[0].vdev, "hda");
    EXPECT_EQ(guest.disks[1].vdev, "hdb");
}

TEST(GuestOf, XenLoadsItsOwnGrub) {
    const auto pvh = booted(disk("gpt") + boot("method = \"pvgrub\"\n"));
    EXPECT_EQ(guest_of(pvh).kernel, "/usr/lib/grub-xen/grub-i386-xen_pvh.bin");
    EXPECT_EQ(guest_of(pvh).ramdisk + guest_of(pvh).cmdline, "");
    EXPECT_EQ(pvh.boot.cmdline, "console=hvc0");
    EXPECT_EQ(pvh.boot.platform, "");
    EXPECT_TRUE(has(pvh, "grub2-common"));
    const auto pv = plan_of(boot("method = \"pvgrub\"\n") + "[domain]\ntype = \"pv\"\n");
    EXPECT_EQ(guest_of(pv).kernel, "/usr/lib/grub-xen/grub-x86_64-xen.bin");
    EXPECT_EQ(guest_of(plan_of(boot("method = \"pvgrub\"\nloader = \"/opt/grub.bin\"\n"))).kernel, "/opt/grub.bin");
}

}  // namespace
}  // namespace vprov::plan
