// The commands of LVM volumes, their order, and what is left when something fails.
#include "partition/device/logical_volume.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "os/temp_dir.h"

namespace vprov::partition {
namespace {

// Plays LVM: a group with 1 GiB free in extents of 4 MiB.
struct FakeLvm final : os::CommandRunner {
    os::CommandResult run(const os::Command& command) override {
        commands.push_back(joined(command.argv, " "));
        const auto& program = command.argv[0];
        if (program == failing)
            return {5, "", "it does not work"};
        EXPECT_EQ(command.runs_to_its_end, program != "vgs" && program != "lvs") << "a volume could stay suspended";
        if (program == "vgs")
            return {0, "  1073741824 4194304\n", ""};
        return {0, program == "lvs" ? listed : "", ""};
    }
    std::vector<std::string> commands;
    std::string failing, listed;
};

const VolumeName kName{"vg0", "g1-root"};
const Publication kPublication{"/srv/a b", 77};
const std::string kTag = "vprov.unfinished:77:/srv/a=20b";
const std::string kVgs = "vgs --noheadings --nosuffix --units b -o vg_free,vg_extent_size vg0";
const std::string kLvs = "lvs --noheadings -o lv_name,lv_tags vg0";
const std::string kCreate = "lvcreate --yes --quiet --wipesignatures y --addtag " + kTag +
                            " --name g1-root.vprov-unfinished --size 536870912b vg0";
const std::string kRemove = "lvremove --yes --quiet vg0/g1-root.vprov-unfinished";
const std::string kRename = "lvrename --quiet vg0 g1-root.vprov-unfinished g1-root";

template <typename Action>
std::string error_of(Action&& action) {
    try {
        action();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::disk);
        return e.message();
    }
    return "none";
}

std::string error_of_making(FakeLvm& lvm, Bytes size) {
    return error_of([&] { const LogicalVolume volume({kName, size}, kPublication, lvm); });
}

TEST(LogicalVolume, HasItsNameOnlyWhenItIsWholeAndItsMarkUntilItIsPublished) {
    FakeLvm lvm;
    {
        LogicalVolume volume({kName, 512_MiB}, kPublication, lvm);
        EXPECT_EQ(volume.device(), "/dev/vg0/g1-root.vprov-unfinished");
        volume.take_name();
        EXPECT_EQ(volume.device(), "/dev/vg0/g1-root");
        volume.keep();
    }
    EXPECT_EQ(lvm.commands, (std::vector<std::string>{kLvs, kVgs, kCreate, kRename,
                                                      "lvchange --quiet --deltag " + kTag + " vg0/g1-root"}));
}

TEST(LogicalVolume, IsRemovedWithoutBeingKept) {
    FakeLvm lvm;
    { const LogicalVolume volume({kName, 512_MiB}, kPublication, lvm); }
    EXPECT_EQ(lvm.commands, (std::vector<std::string>{kLvs, kVgs, kCreate, kRemove}));
    lvm.commands.clear();
    {
        LogicalVolume volume({kName, 512_MiB}, kPublication, lvm);
        volume.take_name();
    }
    EXPECT_EQ(lvm.commands,
              (std::vector<std::string>{kLvs, kVgs, kCreate, kRename, "lvremove --yes --quiet vg0/g1-root"}));
}

TEST(LogicalVolume, WhatAKilledBuildLeftIsRemovedFirst) {
    FakeLvm lvm;
    lvm.listed = "  swap\n  g1-root.vprov-unfinished " + kTag + "\n";
    { const LogicalVolume volume({kName, 512_MiB}, kPublication, lvm); }
    EXPECT_EQ(lvm.commands, (std::vector<std::string>{kLvs, kRemove, kVgs, kCreate, kRemove}));
}

TEST(LogicalVolume, OneThatHasItsNameAndWasNeverPublishedIsRemoved) {
    FakeLvm lvm;
    lvm.listed = "  g1-root mine," + kTag + "\n";
    settle_volume(kName, lvm);
    EXPECT_EQ(lvm.commands, (std::vector<std::string>{kLvs, "lvremove --yes --quiet vg0/g1-root"}));
}

TEST(LogicalVolume, OneThatWasPublishedLosesItsMarkOnly) {
    const os::TempDir work(std::filesystem::temp_directory_path(), "vprov-test-");
    std::filesystem::create_directory(work.path() / "unpublished");
    const auto publication = Publication::of(work.path() / "unpublished", work.path() / "out");
    EXPECT_FALSE(publication.has_happened());
    std::filesystem::rename(work.path() / "unpublished", work.path() / "out");
    FakeLvm lvm;
    lvm.listed = "  g1-root " + publication.text() + "\n";
    EXPECT_EQ(error_of([&] { settle_volume(kName, lvm); }),
              "cannot use volume 'vg0/g1-root': it is not active; 'lvchange --activate y vg0/g1-root' makes it so")
        << "there is no such device here";
    EXPECT_EQ(lvm.commands,
              (std::vector<std::string>{kLvs, "lvchange --quiet --deltag " + publication.text() + " vg0/g1-root"}));
}

TEST(LogicalVolume, OneThatIsNotActiveIsNotMadeAgain) {
    FakeLvm lvm;
    lvm.listed = "  g1-root\n";
    EXPECT_EQ(error_of_making(lvm, 512_MiB),
              "cannot use volume 'vg0/g1-root': it is not active; 'lvchange --activate y vg0/g1-root' makes it so");
    EXPECT_EQ(lvm.commands, (std::vector<std::string>{kLvs}));
}

TEST(LogicalVolume, MissingRoomIsToldInBytes) {
    FakeLvm lvm;
    EXPECT_EQ(error_of_making(lvm, {(1_GiB).value + 4096}),
              "cannot make volume 'vg0/g1-root' of 1028M: 4194304 bytes are missing in 'vg0'");
    EXPECT_EQ(lvm.commands.back(), kVgs) << "nothing was made";
    EXPECT_EQ(error_of_making(lvm, 1_GiB), "none");
}

TEST(LogicalVolume, VolumesOfOneGroupNeedRoomTogether) {
    FakeLvm lvm;
    check_groups({{kName, 512_MiB}, {{"vg0", "swap"}, 512_MiB}}, lvm);
    EXPECT_EQ(error_of([&] {
                  check_groups({{kName, 512_MiB}, {{"vg0", "swap"}, 513_MiB}}, lvm);
              }),
              "cannot make volume 'vg0/swap' of 516M: 4194304 bytes are missing in 'vg0'");
}

TEST(LogicalVolume, FailuresShowTheCommand) {
    FakeLvm lvm;
    lvm.failing = "lvcreate";
    EXPECT_EQ(error_of_making(lvm, 512_MiB),
              "cannot make volume 'vg0/g1-root': " + kCreate + "\nexit status 5; it said:\nit does not work");
    EXPECT_EQ(lvm.commands.back(), kCreate) << "what was not made is not removed";
}

TEST(Publication, IsReadBack) {
    for (const auto* path : {"/srv/out/debian1", "/srv/a b", "/srv/a=20b,@\xc3\xa4"}) {
        const Publication publication{path, 4242};
        EXPECT_EQ(Publication::parse(publication.text()), publication);
    }
    for (const auto* text :
         {"", "mine", "vprov.unfinished", "vprov.unfinished:", "vprov.unfinished:x:/a", "vprov.unfinished:1",
          "vprov.unfinished:1:", "vprov.unfinished:1:/a=2", "vprov.unfinished:1:/a=zz"})
        EXPECT_EQ(Publication::parse(text), std::nullopt) << text;
}

TEST(LogicalVolume, PathsOfVolumes) {
    EXPECT_EQ(volume_name_of("/dev/vg0/root"), (VolumeName{"vg0", "root"}));
    EXPECT_EQ(volume_name_of("/dev/sdb"), std::nullopt);
    EXPECT_EQ(volume_name_of("/dev/mapper/vg0-root"), std::nullopt);
    EXPECT_EQ(volume_name_of("/dev/disk/by-id/x"), std::nullopt);
}

}  // namespace
}  // namespace vprov::partition
