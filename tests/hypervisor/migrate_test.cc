// Moves between two state directories of this host, with a guest of one boot sector.
#include <random>
#include <set>

#include "hypervisor/domains_fixture.h"
#include "hypervisor/launch/guest_ram.h"
#include "hypervisor/migrate/method.h"
#include "hypervisor/migrate/migrate.h"
#include "hypervisor/migrate/streams.h"
#include "hypervisor/save/save.h"

namespace vprov::hypervisor {
namespace {

TEST(MethodTest, WhatIsRightForEngineAndVersion) {
    const auto method = [](bool kvm, std::string_view qemu, bool shares, bool faults, bool live) {
        return name_of(choose_method({kvm, qemu, shares, faults, live}));
    };
    EXPECT_EQ(method(false, "7.2.22", true, true, true), "shared");
    EXPECT_EQ(method(false, "7.2.22", false, true, true), "postcopy");
    EXPECT_EQ(method(false, "7.2.22", false, false, true), "copy");
    EXPECT_EQ(method(false, "7.2.22", false, true, false), "copy");
    EXPECT_EQ(method(false, "9.0.0", false, true, true), "precopy");
    EXPECT_EQ(method(false, "10.0.2", false, true, true), "precopy");
    EXPECT_EQ(method(true, "7.2.22", false, true, true), "precopy");
}

TEST(GuestRamTest, OneAtATimeMayRunIt) {
    const auto ram = GuestRam::make(1);
    const RamFile file{identify_process(::getpid()), ram.fd().get(), ram.inode()};
    const auto other = GuestRam::of_other(file);
    EXPECT_FALSE(other.take());
    EXPECT_TRUE(ram.take());
    ram.give();
    EXPECT_TRUE(other.take());
    EXPECT_FALSE(ram.take());
    EXPECT_FALSE(GuestRam::of_adopted(file).take());  // the same lock as ram's
    EXPECT_THROW(GuestRam::of_other({file.qemu, file.fd, file.inode + 1}), Error);
}

struct Ends {
    os::Fd left, right;
};
Ends connected() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {os::Fd(ends[0]), os::Fd(ends[1])};
}
os::Fd again(const os::Fd& fd) {
    return os::Fd(::dup(fd.get()));
}
std::string all_of(const os::Fd& fd) {
    std::string text;
    std::array<char, 65536> buffer{};
    for (ssize_t count = 0; (count = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    return text;
}

TEST(StreamsTest, EachStreamArrivesWholeAndBeforeItsEnd) {
    auto ends = connected();
    Streams left(again(ends.left), again(ends.left));
    Streams right(again(ends.right), again(ends.right));
    ends = {};
    std::string much(5 << 20, '\0');
    for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i * 2654435761U >> 13);
    auto one = left.open(1);
    auto two = left.open(2);
    const auto other_one = right.open(1);
    std::thread writer([&] {
        os::write_all(one.get(), much, "much");
        one.reset();
    });
    os::write_all(two.get(), "little", "little");
    ::shutdown(two.get(), SHUT_WR);
    EXPECT_EQ(all_of(other_one), much);
    writer.join();
    const auto other_two = right.open(2);  // late: it has waited
    EXPECT_EQ(all_of(other_two), "little");
    os::write_all(other_two.get(), "back", "back");
    ::shutdown(other_two.get(), SHUT_WR);
    EXPECT_EQ(all_of(two), "back");
}

TEST(StreamsTest, ALostConnectionEndsAll) {
    auto ends = connected();
    Streams left(again(ends.left), again(ends.left));
    const auto one = left.open(1);
    ends = {};
    EXPECT_EQ(all_of(one), "");
    EXPECT_EQ(all_of(left.open(2)), "");
}

TEST(StreamsTest, WhatWasSaidLastIsStillSent) {
    auto ends = connected();
    Streams right(again(ends.right), again(ends.right));
    const auto heard = right.open(0);
    {
        Streams left(again(ends.left), again(ends.left));
        const auto one = left.open(0);
        ends = {};
        os::write_all(one.get(), "last word", "it");
    }
    EXPECT_EQ(all_of(heard), "last word");
}

class MigrateTest : public DomainsTest {
  protected:
    void TearDown() override {
        for (const auto& domain : there_.list()) there_.destroy(domain.name);
        EXPECT_TRUE(there_.state().names().empty());
        DomainsTest::TearDown();
    }

    static MoveOptions to(const Domains& target) {
        MoveOptions options;
        options.receiver = {own_program(), "migrate-receive", target.state().root().native()};
        options.target = "there";
        return options;
    }

    static void run_command(const std::vector<std::string>& argv) {
        const os::Command command{argv, os::clean_environment(), ""};
        const auto result = os::SystemCommandRunner().run(command);
        ASSERT_TRUE(result.ok()) << os::describe_failure(command, result);
    }

    static std::set<std::string> names_in(const fs::path& directory) {
        std::set<std::string> names;
        for (const auto& entry : fs::directory_iterator(directory)) names.insert(entry.path().filename());
        return names;
    }

    static std::string own_program() { return fs::read_symlink("/proc/self/exe").native(); }

    Moved move(bool live = false) const {
        auto options = to(there_);
        options.live = live;
        return move_domain(domains_, "tiny", options);
    }

    // Waits for each answer: the guest runs, and only where `domains` are.
    void expect_to_run(const Domains& domains, const Domains& not_there) const {
        const auto console = domains.open_console("tiny", Domains::ConsoleMode::write);
        type(console, "Z");
        EXPECT_TRUE(read_until(console, "Z").ends_with("Z"));
        EXPECT_FALSE(not_there.is_running("tiny"));
    }

    void start() const {
        create(tiny("tiny"));
        const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
        EXPECT_TRUE(read_until(console, "tiny login: ").ends_with("tiny login: "));
    }

    static std::string error_of(const std::function<void()>& change) {
        try {
            change();
        } catch (const Error& e) {
            return e.message();
        }
        return "no error";
    }

    Domains there_{StateDir(work_.path() / "there")};
};

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
    auto guest = tiny("tiny");
    guest.disks[0].writable = true;
    create(guest);
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

// One of the processes that take part is killed at some moment of the move. VPROV_KILLS: how many times.
class MigrateKillTest : public MigrateTest {
  protected:
    static int rounds() {
        const char* const wanted = std::getenv("VPROV_KILLS");
        return wanted ? std::atoi(wanted) : 12;
    }

    pid_t start_move() const {
        const pid_t child = ::fork();
        if (child == 0) {
            const std::string from = domains_.state().root().native();
            const std::string to = there_.state().root().native();
            const auto program = own_program();
            [[maybe_unused]] const auto* const quiet = ::freopen("/dev/null", "w", stderr);
            ::execl(program.c_str(), program.c_str(), "migrate", from.c_str(), to.c_str(), nullptr);
            ::_exit(127);
        }
        return child;
    }

    // The receiver, by its command line.
    pid_t receiver() const {
        for (const auto& line : processes_of_this_test()) {
            const auto pid = line.substr(0, line.find(' '));
            try {
                if (os::read_file("/proc/" + pid + "/cmdline").find("migrate-receive") != std::string::npos)
                    return std::stoi(pid);
            } catch (const Error&) {
                continue;
            }
        }
        return 0;
    }

    enum class Victim { sender, receiver, supervisor_here, supervisor_there, qemu_there };
    static constexpr std::array<std::string_view, 5> kNames = {"sender", "receiver", "supervisor here",
                                                               "supervisor there", "QEMU there"};

    void kill(Victim victim, pid_t sender) const {
        const auto record =
            victim == Victim::supervisor_here ? domains_.state().read("tiny") : there_.state().read("tiny");
        switch (victim) {
            case Victim::sender:
                ::kill(sender, SIGKILL);
                return;
            case Victim::receiver:
                if (const auto pid = receiver(); pid > 0)
                    ::kill(pid, SIGKILL);
                return;
            case Victim::supervisor_here:
            case Victim::supervisor_there:
                if (record)
                    send_signal(open_process(record->supervisor), SIGKILL);
                return;
            case Victim::qemu_there:
                if (record)
                    send_signal(open_process(record->qemu), SIGKILL);
                return;
        }
    }

    // Both sides have come to rest: no command is at work, nothing waits or dies.
    int running_after(Victim victim) const {
        for (int i = 0; i < 200; ++i) {
            int domains = 0;
            int settled = 0;
            for (const auto* side : {&domains_, &there_})
                for (const auto& domain : side->list()) {
                    ++domains;
                    const auto record = side->state().read(domain.name);
                    settled += record && record->operation.empty() && record->phase == Phase::running;
                }
            if (receiver() == 0 && domains == settled && (domains == 1 || victim == Victim::qemu_there))
                return domains;
            std::this_thread::sleep_for(100ms);
        }
        return -1;
    }
};

TEST_F(MigrateKillTest, NeverTwiceNorNowhere) {
    std::mt19937 random(std::random_device{}());
    std::array<int, 3> outcomes{};
    double longest = 0.25;
    for (int round = 0; round < rounds(); ++round) {
        const auto victim = static_cast<Victim>(round % 5);
        start();
        const auto sender = start_move();
        const auto begin = std::chrono::steady_clock::now();
        const auto delay = std::uniform_real_distribution<>(0, longest)(random);
        std::this_thread::sleep_for(std::chrono::duration<double>(delay));
        kill(victim, sender);
        ::waitpid(sender, nullptr, 0);
        longest = std::max(longest, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
        longest = std::min(longest, 2.0);
        SCOPED_TRACE(fmt::format("round {}: the {} was killed after {:.3f} s", round, kNames[round % 5], delay));
        const int running = running_after(victim);
        ASSERT_TRUE(running == 1 || (running == 0 && victim == Victim::qemu_there)) << running;
        const bool is_here = domains_.is_running("tiny");
        if (running == 1) {
            const Domains& where = is_here ? domains_ : there_;
            expect_to_run(where, is_here ? there_ : domains_);
            where.destroy("tiny");
        }
        ++outcomes[running == 0 ? 2 : is_here ? 0 : 1];
    }
    std::printf("%d kills: it ran on here %d times, there %d times, its QEMU was killed while it ran there %d times\n",
                rounds(), outcomes[0], outcomes[1], outcomes[2]);
}

}  // namespace
}  // namespace vprov::hypervisor
