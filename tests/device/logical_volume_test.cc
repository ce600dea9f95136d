// The commands of LVM volumes, their order, and what is left when something fails.
#include "partition/device/logical_volume.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace vprov::partition {
namespace {

// Plays LVM: a group with 1 GiB free in extents of 4 MiB.
struct FakeLvm final : os::CommandRunner {
    os::CommandResult run(const os::Command& command) override {
        commands.push_back(joined(command.argv, " "));
        const auto& program = command.argv[0];
        if (program == failing)
            return {5, "", "it does not work"};
        if (program == "vgs")
            return {0, "  1073741824 4194304\n", ""};
        return {0, program == "lvs" ? listed : "", ""};
    }
    std::vector<std::string> commands;
    std::string failing, listed;
};

const VolumeName kName{"vg0", "g1-root"};
const std::string kVgs = "vgs --noheadings --nosuffix --units b -o vg_free,vg_extent_size vg0";
const std::string kLvs = "lvs --noheadings -o lv_name vg0";
const std::string kCreate =
    "lvcreate --yes --quiet --wipesignatures y --name g1-root.vprov-unfinished --size 536870912b vg0";
const std::string kRemove = "lvremove --yes --quiet vg0/g1-root.vprov-unfinished";

std::string error_of(FakeLvm& lvm, Bytes size) {
    try {
        const LogicalVolume volume(kName, size, lvm);
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::disk);
        return e.message();
    }
    return "none";
}

TEST(LogicalVolume, HasItsNameOnlyWhenItIsWhole) {
    FakeLvm lvm;
    {
        LogicalVolume volume(kName, 512_MiB, lvm);
        EXPECT_EQ(volume.device(), "/dev/vg0/g1-root.vprov-unfinished");
        volume.publish();
    }
    EXPECT_EQ(lvm.commands, (std::vector<std::string>{
                                kLvs, kVgs, kCreate, "lvrename --quiet vg0 g1-root.vprov-unfinished g1-root"}));
}

TEST(LogicalVolume, IsRemovedWithoutBeingPublished) {
    FakeLvm lvm;
    { const LogicalVolume volume(kName, 512_MiB, lvm); }
    EXPECT_EQ(lvm.commands, (std::vector<std::string>{kLvs, kVgs, kCreate, kRemove}));
}

TEST(LogicalVolume, WhatAKilledBuildLeftIsRemovedFirst) {
    FakeLvm lvm;
    lvm.listed = "  swap\n  g1-root.vprov-unfinished\n";
    { const LogicalVolume volume(kName, 512_MiB, lvm); }
    EXPECT_EQ(lvm.commands, (std::vector<std::string>{kLvs, kRemove, kVgs, kCreate, kRemove}));
}

TEST(LogicalVolume, MissingRoomIsToldInBytes) {
    FakeLvm lvm;
    EXPECT_EQ(error_of(lvm, {(1_GiB).value + 4096}),
              "cannot make volume 'vg0/g1-root' of 1028M: 4194304 bytes are missing in 'vg0'");
    EXPECT_EQ(lvm.commands.back(), kVgs) << "nothing was made";
    EXPECT_EQ(error_of(lvm, 1_GiB), "none");
}

TEST(LogicalVolume, FailuresShowTheCommand) {
    FakeLvm lvm;
    lvm.failing = "lvcreate";
    EXPECT_EQ(error_of(lvm, 512_MiB), "cannot make volume 'vg0/g1-root': " + kCreate +
                                          "\nexit status 5; it said:\nit does not work");
    EXPECT_EQ(lvm.commands.back(), kCreate) << "what was not made is not removed";
}

TEST(LogicalVolume, PathsOfVolumes) {
    EXPECT_EQ(volume_name_of("/dev/vg0/root"), (VolumeName{"vg0", "root"}));
    EXPECT_EQ(volume_name_of("/dev/sdb"), std::nullopt);
    EXPECT_EQ(volume_name_of("/dev/mapper/vg0-root"), std::nullopt);
    EXPECT_EQ(volume_name_of("/dev/disk/by-id/x"), std::nullopt);
}

}  // namespace
}  // namespace vprov::partition
