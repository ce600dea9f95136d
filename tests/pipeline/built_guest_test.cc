#include "pipeline/built_guest.h"

#include <unistd.h>

#include <deque>

#include "base/error.h"
#include "pipeline/guest_pool.h"
#include "pipeline/guest_removal.h"
#include "pipeline/guest_resize.h"
#include "pipeline/output_directory.h"
#include "pipeline/output_fixture.h"
#include "pipeline/shared_bases.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

using Lines = std::vector<std::string>;

class NotedRunner final : public os::CommandRunner {
  public:
    os::CommandResult run(const os::Command& command) override {
        lines.push_back(joined(command.argv, " "));
        return {status, "", "said so"};
    }
    Lines lines;
    int status = 0;
};

class BuiltGuestTest : public OutputTest {
  protected:
    Lines remove(const std::string& name) { return remove_guest(built_guest(output, name), runner); }
    void expect_refused(const std::string& disk, Bytes size, const std::string& message) {
        const auto before = files();
        try {
            resize_disk(built_guest(output, "web1"), disk, size, Shrinking::refused, runner);
            ADD_FAILURE() << "resized";
        } catch (const Error& e) {
            EXPECT_EQ(std::string(e.message()).substr(0, message.size()), message);
        }
        EXPECT_EQ(files(), before);
    }
    NotedRunner runner;
};

TEST_F(BuiltGuestTest, IsReadFromManifestAndConfiguration) {
    add_guest("web2", "192.0.2.3/24", "02:00:00:00:00:02");
    add_guest("web1", "192.0.2.2/24", "02:00:00:00:00:01", {{"backing", "../.bases/0/root.img"}, {"format", "qcow2"}});
    write("notes/manifest.json", "no JSON");
    write("empty/file", "");
    const auto guests = built_guests(output);
    ASSERT_EQ(guests.size(), 2U);
    const auto& guest = guests[0];
    EXPECT_EQ(guest.name, "web1");
    EXPECT_EQ(guest.memory_mib, 256U);
    EXPECT_EQ(guest.vcpus, 3U);
    EXPECT_EQ(guest.addresses, Lines{"192.0.2.2/24"});
    EXPECT_EQ(guest.macs, Lines{"02:00:00:00:00:01"});
    EXPECT_EQ(guest.disks.at(0).backing, "../.bases/0/root.img");
    EXPECT_EQ(guest.disks.at(0).format, "qcow2");
    for (const auto* name : {"", ".", "..", "web1/../web1", "notes", "nobody"})
        EXPECT_THROW(built_guest(output, name), Error) << name;
}

TEST_F(BuiltGuestTest, GoesWithAllThatIsItsOwn) {
    write("mine.txt", "");
    const auto before = files();
    {
        const auto held = reserve(recipe(1), output, PoolUse::take);
        add_guest("web1", "192.0.2.10/29", "02:00:00:00:00:fe");
    }
    EXPECT_EQ(remove("web1"), Lines{});
    EXPECT_EQ(files(), before);
}

TEST_F(BuiltGuestTest, LeavesWhatOthersMade) {
    add_guest("web1");
    write("web1/log/mine/deep", "");
    write("web1/notes", "mine");
    fs::create_directory(output / "web1/empty");
    fs::create_symlink("nowhere", output / "web1/link");
    const auto inode = fs::hard_link_count(output / "web1/notes");
    EXPECT_EQ(remove("web1"), (Lines{"empty", "link", "log/mine", "notes"}));
    EXPECT_EQ(files(), (Lines{"web1", "web1/empty", "web1/link", "web1/log", "web1/log/mine", "web1/log/mine/deep",
                              "web1/notes"}));
    EXPECT_EQ(fs::hard_link_count(output / "web1/notes"), inode);
    EXPECT_THROW(built_guest(output, "web1"), Error);
}

TEST_F(BuiltGuestTest, TakesItsVolumesAlong) {
    add_guest("web1");
    write("web1/manifest.json",
          R"({"name": "web1", "files": ["root.img", "web1.cfg", "log/dpkg", "manifest.json"], "disks": [)"
          R"({"device": "/dev/null/null", "made": true, "size": 1}, {"device": "/dev/vg0/other", "size": 1}]})");
    const auto guest = built_guest(output, "web1");
    EXPECT_EQ(guest.volumes, Lines{"/dev/null/null"});
    EXPECT_EQ(remove_guest(guest, runner), Lines{});
    EXPECT_EQ(runner.lines, Lines{});  // that volume is not there any more
}

TEST_F(BuiltGuestTest, BasesGoWithTheLastGuest) {
    write("base", "content");
    const auto shared = share_base(output, output / "base", "0123");
    EXPECT_EQ(shared.backing, "../.bases/0123/base");
    EXPECT_EQ(fs::status(shared.image).permissions(), fs::perms(0444));
    fs::remove(output / "base");
    remove_unused_bases(output);  // it is held
    add_guest("web1", "", "", {{"backing", shared.backing}});
    add_guest("web2", "", "", {{"backing", shared.backing}});
    const_cast<SharedBase&>(shared).held.reset();
    remove_unused_bases(output);
    remove("web1");
    EXPECT_TRUE(fs::exists(output / "web2" / shared.backing));
    remove("web2");
    EXPECT_EQ(files(), Lines{});
}

TEST_F(BuiltGuestTest, BasesStayWhileAManifestCannotBeRead) {
    write("base", "content");
    share_base(output, output / "base", "0123").held.reset();
    write("web1/manifest.json", "{");
    remove_unused_bases(output);
    EXPECT_TRUE(fs::exists(output / ".bases/0123/base"));
}

TEST_F(BuiltGuestTest, RefusesWhatCannotBeResized) {
    add_guest("web1", "", "", {{"size", 8192}});
    expect_refused("home", {8192}, "cannot resize 'home' of 'web1': it has root");
    expect_refused("root", {5000}, "cannot resize 'root.img' to 5000 bytes: it must be a multiple of 4096");
    expect_refused("/", {4096}, "cannot shrink 'root.img' from 8K to 4K without --force");
    runner.status = 8;
    expect_refused("root.img", {12288}, "cannot resize the disk: its file system is not in order: e2fsck");
    add_guest("web1", "", "", {{"filesystem", "xfs"}});
    expect_refused("root", {12288}, "cannot resize 'root.img': only ext2, ext3, ext4 and swap can be, it is xfs");
    add_guest("web1", "", "", {{"filesystem", ""}});
    expect_refused("root", {12288},
                   "cannot resize 'root.img': only ext2, ext3, ext4 and swap can be, it has a partition table");
    add_guest("web1", "", "", {{"format", "vmdk"}});
    expect_refused("root", {12288}, "cannot resize 'root.img': only raw and qcow2 images can be, it is vmdk");
}

TEST_F(BuiltGuestTest, GetsAnotherSizeWithAllElseAsItWas) {
    add_guest("web1");
    write("web1/notes", "mine");
    const auto before = files();
    resize_disk(built_guest(output, "web1"), "root", {1 << 20}, Shrinking::refused, runner);
    EXPECT_EQ(files(), before);
    EXPECT_EQ(fs::file_size(output / "web1/root.img"), 1U << 20);
    EXPECT_EQ(built_guest(output, "web1").disks[0].size, Bytes{1 << 20});
    ASSERT_EQ(runner.lines.size(), 3U);
    EXPECT_TRUE(runner.lines[0].starts_with("e2fsck -f -p ")) << runner.lines[0];
    EXPECT_TRUE(runner.lines[1].starts_with("resize2fs ")) << runner.lines[1];
    EXPECT_TRUE(runner.lines[1].ends_with(" 1024K")) << runner.lines[1];
}

TEST_F(BuiltGuestTest, WhatAKillLeftIsTidied) {
    add_guest("web1");
    const auto before = files();
    write(".web1-build-AbCd12/AbCd12/guest/root.img", "half");
    write(".web2-build-AbCd12/AbCd12/result/root.img", "half");
    write("..pool.json.AbCd12", "{");
    write(".hidden/file", "mine");
    const auto busy = make_work_directory(output, "web3");
    tidy(output);
    EXPECT_FALSE(fs::exists(output / ".web1-build-AbCd12"));
    EXPECT_FALSE(fs::exists(output / ".web2-build-AbCd12"));
    EXPECT_FALSE(fs::exists(output / "..pool.json.AbCd12"));
    EXPECT_TRUE(fs::exists(output / ".hidden/file"));
    EXPECT_TRUE(fs::exists(busy.path()));
}

}  // namespace
}  // namespace vprov::pipeline
