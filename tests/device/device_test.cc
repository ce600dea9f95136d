// Devices that hold something, are in use, or are written: loop devices, as root.
#include "partition/device/device.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "os/command.h"
#include "os/fd.h"
#include "os/temp_dir.h"
#include "partition/device/device_content.h"
#include "partition/device/device_lock.h"
#include "partition/device/device_record.h"
#include "partition/image/disk_writer.h"
#include "partition/image/loop_device.h"
#include "partition/layout/placement.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

class Device : public testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0)
            GTEST_SKIP() << "loop devices need root";
        if (const auto cause = what_forbids_loop_devices(); !cause.empty())
            GTEST_SKIP() << cause;
        os::write_file(file, "");
        fs::resize_file(file, kSize.value);
        loop.emplace(Place{file, {}, PlaceKind::image, "disk"}, kSize);
        device = loop->path();
    }

    std::string run(std::vector<std::string> argv) {
        const os::Command command{std::move(argv), os::clean_environment(), "", -1, {}};
        const auto result = runner.run(command);
        EXPECT_TRUE(result.ok()) << os::describe_failure(command, result);
        return result.output + result.errors;
    }

    std::string refusal(Found found = Found::refused) {
        try {
            check_device(device, found);
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::disk);
            return e.message();
        }
        return "none";
    }

    DiskPlan disk_of(Table table) const {
        DiskPlan disk;
        disk.name = "disk";
        disk.device = device;
        disk.guest = "xvda";
        disk.table = table;
        disk.size = kSize;
        disk.table_uuid = Uuid::derived("test", "table");
        for (const auto& [name, size] : {std::pair{"root", 64_MiB}, {"home", 32_MiB}}) {
            Volume volume;
            volume.name = name;
            volume.size = size;
            volume.uuid = Uuid::derived("test", name);
            volume.partuuid = Uuid::derived("test", std::string("partition ") + name);
            disk.volumes.push_back(volume);
            if (table == Table::none)
                break;
        }
        place(disk);
        return disk;
    }

    static constexpr Bytes kSize = 128_MiB;
    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    fs::path file = work.path() / "disk", device;
    std::optional<LoopDevice> loop;
    os::SystemCommandRunner runner;
};

TEST_F(Device, AnEmptyOneIsTaken) {
    EXPECT_EQ(contents_of(device), std::vector<std::string>{});
    EXPECT_EQ(uses_of(device), std::vector<std::string>{});
    EXPECT_EQ(refusal(), "none");
}

TEST_F(Device, AFileSystemStopsTheBuildUnlessItIsGivenUp) {
    run({"mkfs.ext4", "-q", "-L", "old", "-U", "11111111-2222-3333-4444-555555555555", device});
    EXPECT_EQ(refusal(), fmt::format("cannot write to '{0}': something is on it:\n"
                                     "  ext4 file system 'old', UUID 11111111-2222-3333-4444-555555555555\n"
                                     "'--erase {0}' gives that up",
                                     device.native()));
    EXPECT_EQ(refusal(Found::given_up), "none");
    erase_device(device);
    EXPECT_EQ(contents_of(device), std::vector<std::string>{});
}

TEST_F(Device, TablesAreListedWithWhatIsInTheirPartitions) {
    auto old = disk_of(Table::mbr);
    old.volumes[1].filesystem = Filesystem::swap;
    old.volumes[1].label = "paging";
    write_device(old, {}, work.path(), runner);
    const std::vector<std::string> expected = {
        "mbr partition table", "partition 1, 64M at 1M: ext4 file system, UUID " + old.volumes[0].uuid_text(),
        "partition 2, 32M at 65M: swap space 'paging', UUID " + old.volumes[1].uuid_text()};
    EXPECT_EQ(contents_of(device), expected);
    erase_device(device);
    EXPECT_EQ(contents_of(device), std::vector<std::string>{});
    auto again = disk_of(Table::mbr);
    for (auto& volume : again.volumes) volume.filesystem = Filesystem::none;
    write_device(again, {}, work.path(), runner);
    EXPECT_EQ(contents_of(device),
              (std::vector<std::string>{"mbr partition table", "partition 1, 64M at 1M: nothing that is known",
                                        "partition 2, 32M at 65M: nothing that is known"}))
        << "the old file systems came back with the table";
}

TEST_F(Device, SwapSpaceIsKnown) {
    run({"mkswap", "-q", "-L", "s", "-U", "11111111-2222-3333-4444-555555555555", device});
    EXPECT_EQ(contents_of(device),
              (std::vector<std::string>{"swap space 's', UUID 11111111-2222-3333-4444-555555555555"}));
}

TEST_F(Device, LvmMembersAreKnown) {
    if (!os::program_exists("pvcreate"))
        GTEST_SKIP() << "there is no pvcreate (lvm2)";
    os::Command command{
        {"pvcreate", "-q", "-ff", "-y", "--norestorefile", "--uuid", "abcdef-abcd-abcd-abcd-abcd-abcd-abcdef", device},
        os::clean_environment(),
        "",
        -1,
        {}};
    command.environment["LVM_SUPPRESS_FD_WARNINGS"] = "1";
    if (const auto result = runner.run(command); !result.ok())
        GTEST_SKIP() << os::describe_failure(command, result);
    EXPECT_EQ(contents_of(device),
              (std::vector<std::string>{"LVM physical volume, UUID abcdef-abcd-abcd-abcd-abcd-abcd-abcdef"}));
    erase_device(device);
    EXPECT_EQ(contents_of(device), std::vector<std::string>{});
}

TEST_F(Device, OneInUseIsRefusedWhateverIsGivenUp) {
    run({"mkfs.ext4", "-q", device});
    const auto at = work.path() / "a mount";
    fs::create_directory(at);
    ASSERT_EQ(::mount(device.c_str(), at.c_str(), "ext4", 0, nullptr), 0);
    const auto said = refusal(Found::given_up);
    ASSERT_EQ(::umount2(at.c_str(), 0), 0);
    EXPECT_EQ(said, fmt::format("cannot write to '{0}': it is in use:\n  {0} is mounted at '{1}'", device.native(),
                                at.native()));
    const auto other = os::open_file(device, O_RDONLY | O_EXCL);
    EXPECT_EQ(refusal(Found::given_up),
              fmt::format("cannot write to '{0}': it is in use:\n  {0} is used by the kernel or another program",
                          device.native()));
}

TEST_F(Device, OneThatIsAttachedElsewhereIsInUse) {
    const LoopDevice other(Place{device, {}, PlaceKind::device, "other"}, kSize);
    EXPECT_EQ(refusal(Found::given_up), fmt::format("cannot write to '{0}': it is in use:\n  {0} is attached as {1}",
                                                    device.native(), other.path().native()));
}

TEST_F(Device, OneThatARunningGuestHasIsInUse) {
    const auto qemu = os::open_file(device, O_RDWR);
    struct flock range {};
    range.l_type = F_RDLCK;
    range.l_start = 100;  // RAW_LOCK_PERM_BASE
    range.l_len = 1;
    ASSERT_EQ(::fcntl(qemu.get(), F_OFD_SETLK, &range), 0);
    EXPECT_EQ(refusal(),
              fmt::format("cannot write to '{0}': it is in use:\n  {0} is locked by another program, as QEMU "
                          "locks its guests' disks",
                          device.native()));
}

TEST_F(Device, OneThatMayNotBeWrittenIsRefusedAtOnce) {
    run({"blockdev", "--setro", device});
    EXPECT_EQ(refusal(), fmt::format("cannot write to '{}': it is read-only", device.native()));
    run({"blockdev", "--setrw", device});
    EXPECT_EQ(refusal(), "none");
}

TEST_F(Device, OneThatCannotBeReadIsNotTakenForEmpty) {
    fs::resize_file(file, 0);  // beneath the loop device: reading it fails now
    const auto drop = os::open_file(device, O_RDONLY);
    ::posix_fadvise(drop.get(), 0, 0, POSIX_FADV_DONTNEED);
    EXPECT_EQ(refusal(), fmt::format("cannot read {} to see what is on it", quote(device.native())));
}

TEST_F(Device, OneBuildAtATimeWritesToIt) {
    EXPECT_FALSE(DeviceLock::is_held(device));
    {
        const DeviceLock lock(device);
        EXPECT_TRUE(DeviceLock::is_held(device));
        try {
            const DeviceLock second(device);
            FAIL() << "no error";
        } catch (const Error& e) {
            EXPECT_EQ(e.message(),
                      fmt::format("cannot write to '{}': another build is writing to it", device.native()));
        }
    }
    EXPECT_FALSE(DeviceLock::is_held(device));
}

TEST_F(Device, OverlapsWithItself) {
    const auto link = work.path() / "link";
    fs::create_symlink(device, link);
    EXPECT_TRUE(overlap(device, link));
    const auto another = work.path() / "another";
    os::write_file(another, "");
    fs::resize_file(another, kSize.value);
    const LoopDevice other(Place{another, {}, PlaceKind::image, "another"}, kSize);
    EXPECT_FALSE(overlap(device, other.path()));
}

TEST_F(Device, WhatAKilledBuildLeftIsKnownByItsUuids) {
    ::setenv("VPROV_STATE_DIR", (work.path() / "state").c_str(), 1);
    for (const auto table : {Table::gpt, Table::mbr, Table::none}) {
        auto disk = disk_of(table);
        if (table == Table::none)
            disk.volumes[0].filesystem = Filesystem::vfat;
        fs::create_directory(work.path() / "result");
        const auto publication = Publication::of(work.path() / "result", work.path() / "out");
        EXPECT_FALSE(is_left_unfinished(device)) << "nothing is noted";
        note_writing(disk, publication);
        EXPECT_FALSE(is_left_unfinished(device)) << "nothing is on it";
        write_device(disk, {}, work.path(), runner);
        EXPECT_TRUE(is_left_unfinished(device));
        fs::rename(work.path() / "result", work.path() / "out");
        EXPECT_FALSE(is_left_unfinished(device)) << "it was published";
        fs::rename(work.path() / "out", work.path() / "elsewhere");
        EXPECT_TRUE(is_left_unfinished(device));
        fs::remove(work.path() / "elsewhere");
        erase_device(device);
        run({"mkfs.ext4", "-q", device});
        EXPECT_FALSE(is_left_unfinished(device)) << "somebody else has put something on it";
        erase_device(device);
        forget_writing(device);
    }
    ::unsetenv("VPROV_STATE_DIR");
}

TEST_F(Device, IsWrittenAsAnImageWouldBe) {
    for (const auto table : {Table::gpt, Table::none}) {
        auto disk = disk_of(table);
        os::write_file(work.path() / "noise", std::string(1 << 20, '\xa5'));
        run({"dd", "if=" + (work.path() / "noise").native(), "of=" + device.native(), "bs=1M", "count=1",
             "status=none"});
        fs::create_directories(work.path() / "tree/etc");
        os::write_file(work.path() / "tree/etc/hostname", "g1\n");
        erase_device(device);
        write_device(disk, {TreePart{work.path() / "tree"}}, work.path(), runner);
        const LoopDevice part(Place{device, disk.volumes[0].start, PlaceKind::device, "part"}, disk.volumes[0].size);
        run({"e2fsck", "-fn", part.path()});
        EXPECT_EQ(run({"debugfs", "-R", "cat /etc/hostname", part.path()}).substr(0, 3), "g1\n");
        if (table == Table::gpt) {
            EXPECT_NE(run({"sgdisk", "-v", device}).find("No problems found."), std::string::npos);
        }
    }
}

TEST_F(Device, OneThatIsHalfWrittenHasNothingOnIt) {
    auto disk = disk_of(Table::gpt);
    disk.volumes[1].filesystem = Filesystem::vfat;
    fs::create_directories(work.path() / "tree");
    fs::create_symlink("x", work.path() / "tree/link");  // which vfat cannot hold
    EXPECT_THROW(write_device(disk, {{}, TreePart{work.path() / "tree"}}, work.path(), runner), Error);
    EXPECT_EQ(contents_of(device), std::vector<std::string>{}) << "there is a table";
}

TEST_F(Device, FilesAreNoDevices) {
    try {
        uses_of(file);
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), fmt::format("cannot use '{}': it is no block device", file.native()));
    }
}

}  // namespace
}  // namespace vprov::partition
