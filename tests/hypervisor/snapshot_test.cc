// Moments of a domain inside its qcow2 disks.
#include "hypervisor/save/snapshot.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "hypervisor/domains_fixture.h"
#include "hypervisor/guest/qemu_argv.h"

namespace vprov::hypervisor {
namespace {

class SnapshotTest : public DomainsTest {
  protected:
    void SetUp() override {
        DomainsTest::SetUp();
        if (!os::program_exists("qemu-img"))
            GTEST_SKIP() << "qemu-img is not installed";
        os::SystemCommandRunner runner;
        for (const auto& image : {image_, second_})
            ASSERT_TRUE(runner
                            .run({{"qemu-img", "convert", "-O", "qcow2", disk_.native(), image.native()},
                                  os::clean_environment(),
                                  ""})
                            .ok());
    }
    Guest with_images() const {
        auto guest = tiny("tiny");
        guest.disks = {{image_.native(), DiskFormat::qcow2, "xvda", true, false},
                       {second_.native(), DiskFormat::qcow2, "xvdb", true, false}};
        return guest;
    }
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& snapshot : list_snapshots(domains_, "tiny")) found.push_back(snapshot.name);
        return found;
    }
    std::string paused(bool is_paused) const {
        for (int i = 0; i < 100 && (domains_.find("tiny").state[2] == 'p') != is_paused; ++i)
            std::this_thread::sleep_for(20ms);
        return domains_.find("tiny").state;
    }
    static std::string error_of(const std::function<void()>& change) {
        try {
            change();
        } catch (const Error& e) {
            return e.message();
        }
        return "no error";
    }

    fs::path image_ = work_.path() / "a.qcow2", second_ = work_.path() / "b.qcow2";
};

TEST_F(SnapshotTest, BackToAMoment) {
    create(with_images());
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    EXPECT_EQ(names(), std::vector<std::string>());
    create_snapshot(domains_, "tiny", "first");
    create_snapshot(domains_, "tiny", "second");
    EXPECT_EQ(names(), (std::vector<std::string>{"first", "second"}));
    const auto first = list_snapshots(domains_, "tiny")[0];
    EXPECT_GT(first.memory_bytes, 100000U);
    EXPECT_GT(first.guest_seconds, 0.0);
    EXPECT_NEAR(static_cast<double>(first.taken), static_cast<double>(::time(nullptr)), 60.0);
    type(console, "c");  // the guest panics: QEMU keeps it as it is then
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
    create(with_images());
    const auto again = domains_.open_console("tiny", Domains::ConsoleMode::write);
    domains_.pause("tiny");
    revert_to_snapshot(domains_, "tiny", "first");
    EXPECT_EQ(paused(true)[2], 'p');  // as before
    domains_.unpause("tiny");
    type(again, "Z");
    EXPECT_TRUE(read_until(again, "Z").ends_with("Z"));
    revert_to_snapshot(domains_, "tiny", "second");
    EXPECT_EQ(paused(false)[2], '-');
    delete_snapshot(domains_, "tiny", "first");
    EXPECT_EQ(names(), std::vector<std::string>{"second"});
}

TEST_F(SnapshotTest, WhatIsRefused) {
    create(with_images());
    create_snapshot(domains_, "tiny", "one");
    EXPECT_EQ(error_of([&] { create_snapshot(domains_, "tiny", "one"); }),
              "cannot create the snapshot 'one' of 'tiny': there is one already");
    EXPECT_EQ(error_of([&] { revert_to_snapshot(domains_, "tiny", "two"); }),
              "cannot revert to the snapshot 'two' of 'tiny': there is none of that name");
    EXPECT_EQ(error_of([&] { delete_snapshot(domains_, "tiny", "two"); }),
              "cannot delete the snapshot 'two' of 'tiny': there is none of that name");
    EXPECT_EQ(error_of([&] { create_snapshot(domains_, "tiny", "a b"); }),
              "cannot create the snapshot 'a b' of 'tiny': a snapshot's name has letters, digits and . _ + - only, and "
              "not only digits");
    EXPECT_EQ(paused(false)[2], '-');
}

// What QEMU calls a disk does not follow from its place among the disks.
TEST_F(SnapshotTest, DisksThatWerePluggedInLater) {
    auto guest = with_images();
    const auto late = guest.disks.back();
    guest.disks.pop_back();
    create(guest);
    {
        auto monitor = domains_.monitor("tiny");
        const auto file = name_in_qemu(monitor.pass_file(os::open_file(late.target, O_RDWR), late.target));
        monitor.execute(
            "blockdev-add",
            {{"driver", "qcow2"}, {"node-name", "late"}, {"file", {{"driver", "file"}, {"filename", file}}}});
        monitor.execute("device_add", {{"driver", "virtio-blk-pci"}, {"id", late.vdev}, {"drive", "late"}});
    }
    guest.disks.insert(guest.disks.begin(), late);
    domains_.record_change("tiny", guest);
    create_snapshot(domains_, "tiny", "one");
    EXPECT_EQ(names(), std::vector<std::string>{"one"});
    revert_to_snapshot(domains_, "tiny", "one");
    domains_.destroy("tiny");
    for (const auto& image : {image_, second_}) {
        const os::Command list{{"qemu-img", "snapshot", "-l", image.native()}, os::clean_environment(), ""};
        EXPECT_NE(os::SystemCommandRunner().run(list).output.find(" one "), std::string::npos) << image;
    }
}

TEST_F(SnapshotTest, AMomentOfAnotherMachineEndsTheDomain) {
    auto guest = with_images();
    guest.interfaces.emplace_back();
    create(guest);
    create_snapshot(domains_, "tiny", "one");
    domains_.destroy("tiny");
    create(with_images());
    const auto failure = error_of([&] { revert_to_snapshot(domains_, "tiny", "one"); });
    EXPECT_TRUE(failure.starts_with("cannot revert to the snapshot 'one' of 'tiny': ")) << failure;
    EXPECT_TRUE(
        failure.ends_with(" (the domain was ended: its disks are those of the snapshot, and its memory was not)"))
        << failure;
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
}

TEST_F(SnapshotTest, ADiskThatIsNotQcow2) {
    auto guest = with_images();
    guest.disks[1] = {disk_.native(), DiskFormat::raw, "xvdb", true, false};
    create(guest);
    const auto refusal = fmt::format(
        "its disk 'xvdb' is not qcow2, which alone holds snapshots (with the domain shut down: qemu-img convert -O "
        "qcow2 {} NEW, and format=qcow2,target=NEW in its configuration)",
        shell_quote(disk_.native()));
    EXPECT_EQ(error_of([&] { create_snapshot(domains_, "tiny", "one"); }),
              "cannot create the snapshot 'one' of 'tiny': " + refusal);
    EXPECT_EQ(error_of([&] { list_snapshots(domains_, "tiny"); }), "cannot list the snapshots of 'tiny': " + refusal);
    domains_.destroy("tiny");
    create(tiny("tiny"));
    EXPECT_EQ(error_of([&] { create_snapshot(domains_, "tiny", "one"); }),
              "cannot create the snapshot 'one' of 'tiny': it has no writable disk, in which snapshots are kept");
}

}  // namespace
}  // namespace vprov::hypervisor
