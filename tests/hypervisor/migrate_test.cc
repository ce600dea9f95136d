#include "hypervisor/launch/guest_ram.h"
#include "hypervisor/migrate_fixture.h"
#include "hypervisor/save/save.h"

namespace vprov::hypervisor {
namespace {

TEST_F(MigrateTest, ItGoesOnInTheOtherStateDirectoryAndBack) {
    start();
    const auto moved = move();
    EXPECT_EQ(moved.method, Method::shared);
    EXPECT_LT(moved.standstill, 5);
    EXPECT_EQ(there_.find("tiny").state[2], '-');
    const auto console = there_.open_console("tiny", Domains::ConsoleMode::read);
    EXPECT_GT(console.recent, 12U);  // what it said before came along
    expect_to_run(there_, domains_);
    move_domain(there_, "tiny", to(domains_));
    expect_to_run(domains_, there_);
}

TEST_F(MigrateTest, WithItsMemoryCopiedOrFollowingAsToAnotherHost) {
    start();
    auto options = to(there_);
    options.may_share = false;
    EXPECT_EQ(move_domain(domains_, "tiny", options).method, Method::copy);
    expect_to_run(there_, domains_);
    options = to(domains_);
    options.may_share = false;
    options.live = true;
    const auto moved = move_domain(there_, "tiny", options);
    EXPECT_TRUE(moved.method == Method::postcopy || moved.method == Method::copy) << name_of(moved.method);
    std::printf("live: by %s\n", std::string(name_of(moved.method)).c_str());
    expect_to_run(domains_, there_);
    options = to(there_);
    options.method = Method::precopy;  // of a guest that writes nothing meanwhile
    EXPECT_EQ(move_domain(domains_, "tiny", options).method, Method::precopy);
    expect_to_run(there_, domains_);
}

// QEMU remembers what its last stream was without: a save after a move has to have the memory all the same.
TEST_F(MigrateTest, WhatHasMovedCanBeSavedAndKeepsItsMemory) {
    start();
    ASSERT_EQ(move().method, Method::shared);
    const auto file = work_.path() / "tiny.save";
    save_domain(there_, "tiny", file, {});
    ASSERT_TRUE(there_.wait_until_gone("tiny", 20s));
    restore_domain(there_, file, {own_program()});
    expect_to_run(there_, domains_);
}

TEST_F(MigrateTest, ItsDisksGoAlong) {
    os::write_file(work_.path() / "medium", std::string(100000, 'm'));
    run_command({"qemu-img", "convert", "-q", "-O", "qcow2", disk_.native(), (work_.path() / "own.qcow2").native()});
    auto guest = tiny("tiny");
    guest.disks = {{(work_.path() / "own.qcow2").native(), DiskFormat::qcow2, "xvda", true, false},
                   {(work_.path() / "medium").native(), DiskFormat::raw, "xvdb", false, false}};
    create(guest);
    const auto directory = work_.path() / "new/copies";
    auto options = to(there_);
    options.copies_disks = true;
    options.directory = directory;
    const auto moved = move_domain(domains_, "tiny", options);
    EXPECT_EQ(moved.copied, fs::file_size(disk_) + 100000);
    expect_to_run(there_, domains_);
    const auto there = there_.configuration("tiny");
    EXPECT_EQ(there.disks[0].target, directory / "own.qcow2");
    EXPECT_EQ(there.disks[1].target, directory / "medium");
    EXPECT_EQ(os::read_file(directory / "medium"), std::string(100000, 'm'));
    const auto console = there_.open_console("tiny", Domains::ConsoleMode::write);
    type(console, "r");  // boots from the copy
    read_until(console, "[tiny rebooted]\r\n");
    EXPECT_TRUE(read_until(console, "tiny login: ").ends_with("tiny login: "));
    there_.destroy("tiny");
    run_command(
        {"qemu-img", "compare", "-q", (work_.path() / "own.qcow2").native(), (directory / "own.qcow2").native()});
    EXPECT_EQ(names_in(directory), (std::set<std::string>{"medium", "own.qcow2"}));
}

TEST_F(MigrateTest, DisksThatCannotBeCopiedLeaveNothing) {
    create(tiny_that_writes());
    auto options = to(there_);
    options.copies_disks = true;
    EXPECT_EQ(error_of([&] { move_domain(domains_, "tiny", options); }),
              fmt::format("cannot move 'tiny' to there: {} is there already; it goes on here", quote(disk_.native())));
    options.directory = work_.path() / "copies";
    fs::create_directory(options.directory);
    os::write_file(options.directory + "/kept", "");
    options.receiver[1] = "migrate-receive-and-die";
    EXPECT_NE(error_of([&] { move_domain(domains_, "tiny", options); }).find("; it goes on here"), std::string::npos);
    ASSERT_TRUE(there_.wait_until_gone("tiny", 20s));
    expect_to_run(domains_, there_);
    options.receiver = to(there_).receiver;  // what the dead one has left does not stand in the way
    move_domain(domains_, "tiny", options);
    expect_to_run(there_, domains_);
    EXPECT_EQ(names_in(options.directory), (std::set<std::string>{"kept", "tiny,disk.img"}));
}

TEST_F(MigrateTest, APausedOneStaysPaused) {
    start();
    domains_.pause("tiny");
    move();
    EXPECT_EQ(there_.find("tiny").state, "--p---");
    save_domain(there_, "tiny", work_.path() / "tiny.save", {AfterSave::pause});
    EXPECT_EQ(there_.find("tiny").state, "--p---");
    there_.unpause("tiny");
    expect_to_run(there_, domains_);
}

TEST_F(MigrateTest, ARestartAfterItBootsAnew) {
    start();
    move();
    const auto console = there_.open_console("tiny", Domains::ConsoleMode::write);
    type(console, "r");
    read_until(console, "[tiny rebooted]\r\n");
    EXPECT_TRUE(read_until(console, "tiny login: ").ends_with("\r\ntiny login: "));
    EXPECT_TRUE(domains_.list().empty());
}

TEST_F(MigrateTest, WhatCannotBeTakenThereGoesOnHere) {
    start();
    const auto taken = work_.path() / "other.img";
    os::write_file(taken, tiny_guest_disk());
    auto other = tiny("tiny");
    other.disks[0].target = taken.native();
    there_.create(other, {own_program(), EngineChoice::tcg, work_.path()});
    EXPECT_EQ(error_of([&] { move(); }),
              "cannot move 'tiny' to there: cannot create 'tiny': a domain of that name is running (id 1); it goes on "
              "here");
    there_.destroy("tiny");
    EXPECT_EQ(error_of([&] {
                  auto options = to(there_);
                  options.receiver = {"/bin/false"};
                  move_domain(domains_, "tiny", options);
              }),
              "cannot move 'tiny' to there: the connection to there has ended; it goes on here");
    EXPECT_EQ(error_of([&] {
                  auto options = to(there_);
                  options.receiver = {"no-such-program"};
                  move_domain(domains_, "tiny", options);
              }),
              "cannot move 'tiny' to there: cannot run 'no-such-program': it is not installed; it goes on here");
    expect_to_run(domains_, there_);
}

TEST_F(MigrateTest, NothingElseIsDoneToItMeanwhile) {
    start();
    auto operation = domains_.operate("tiny", "save");
    EXPECT_EQ(
        error_of([&] { move(); }),
        "cannot move 'tiny' to there: cannot go on with 'tiny': another command is at it (save); it goes on here");
    domains_.pause("tiny");
    EXPECT_EQ(error_of([&] { domains_.unpause("tiny"); }), "cannot unpause 'tiny': another command is at it (save)");
}

// What the source's supervisor does when nobody tells it what became of a guest that it has handed over.
TEST_F(MigrateTest, ALostAnswerIsJudgedByTheLock) {
    start();
    const auto hand_over = [&](HandOver how) {
        auto operation = domains_.operate("tiny", "migrate");
        domains_.pause("tiny");
        operation.hand_over(how);
    };
    hand_over(HandOver::sharing);  // nobody took it
    expect_to_run(domains_, there_);
    hand_over(HandOver::away);  // nobody can know
    for (int i = 0; i < 200 && !domains_.state().read("tiny")->operation.empty(); ++i)
        std::this_thread::sleep_for(20ms);
    EXPECT_EQ(domains_.find("tiny").state, "--p---");
    domains_.unpause("tiny");
    expect_to_run(domains_, there_);
    const auto record = *domains_.state().read("tiny");
    {
        auto operation = domains_.operate("tiny", "migrate");
        domains_.pause("tiny");
        operation.hand_over(HandOver::sharing);
        ASSERT_TRUE(GuestRam::of_other(record.ram).take());  // and gives it up at once
        operation.take_back();
    }
    expect_to_run(domains_, there_);
    const auto elsewhere = GuestRam::of_other(record.ram);
    {
        auto operation = domains_.operate("tiny", "migrate");
        domains_.pause("tiny");
        operation.hand_over(HandOver::sharing);
        ASSERT_TRUE(elsewhere.take());
        EXPECT_EQ(error_of([&] { operation.take_back(); }), "cannot go on with 'tiny': it has gone on elsewhere");
    }
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
}

}  // namespace
}  // namespace vprov::hypervisor
