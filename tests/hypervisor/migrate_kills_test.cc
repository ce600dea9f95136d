// One of the processes that take part in a move is killed at some moment of it. VPROV_KILLS: how many times.
#include <sys/wait.h>

#include <random>

#include "hypervisor/migrate_fixture.h"

namespace vprov::hypervisor {
namespace {

enum class Victim { sender, sender_asked, receiver, supervisor_here, supervisor_there, qemu_here, qemu_there };
constexpr std::array<std::string_view, 7> kVictims = {
    "sender", "sender (SIGINT)", "receiver", "supervisor here", "supervisor there", "QEMU here", "QEMU there"};
enum class Way { shared, away, with_disks };
constexpr std::array<std::string_view, 3> kWays = {"shared", "away", "with-disks"};

// What has come to rest.
struct Rest {
    bool here = false, there = false;            // a domain is
    bool here_runs = false, there_runs = false;  // and runs
    int running() const { return here_runs + there_runs; }
};

class MigrateKillTest : public MigrateTest {
  protected:
    static int rounds() {
        const char* const wanted = std::getenv("VPROV_KILLS");
        return wanted ? std::atoi(wanted) : static_cast<int>(kVictims.size() * kWays.size());
    }

    pid_t start_move(Way way) const {
        const pid_t child = ::fork();
        if (child == 0) {
            const std::vector<std::string> words = {own_program(),
                                                    "migrate",
                                                    domains_.state().root().native(),
                                                    there_.state().root().native(),
                                                    std::string(kWays[static_cast<std::size_t>(way)]),
                                                    copies_.native()};
            std::vector<char*> argv;
            for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
            argv.push_back(nullptr);
            [[maybe_unused]] const auto* const quiet = ::freopen("/dev/null", "w", stderr);
            ::execv(argv[0], argv.data());
            ::_exit(127);
        }
        return child;
    }

    // By its command line.
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

    void kill(Victim victim, pid_t sender) const {
        const auto here = domains_.state().read("tiny"), there = there_.state().read("tiny");
        const auto end = [](const ProcessIdentity& process) { send_signal(open_process(process), SIGKILL); };
        if (victim == Victim::sender || victim == Victim::sender_asked)
            ::kill(sender, victim == Victim::sender ? SIGKILL : SIGINT);
        if (const auto pid = victim == Victim::receiver ? receiver() : 0; pid > 0)
            ::kill(pid, SIGKILL);
        if (here && (victim == Victim::supervisor_here || victim == Victim::qemu_here))
            end(victim == Victim::qemu_here ? here->qemu : here->supervisor);
        if (there && (victim == Victim::supervisor_there || victim == Victim::qemu_there))
            end(victim == Victim::qemu_there ? there->qemu : there->supervisor);
    }

    // True when no command is at it, and nothing waits or dies.
    static bool look(const Domains& side, bool& is_there, bool& runs) {
        is_there = runs = false;
        for (const auto& domain : side.list()) {
            const auto record = side.state().read(domain.name);
            if (!record || !record->operation.empty() ||
                (record->phase != Phase::running && record->phase != Phase::paused))
                return false;
            is_there = true;
            runs = record->phase == Phase::running;
        }
        return true;
    }

    // May differ from what it is for good while a supervisor has not heard yet: it has to be the same for a while.
    std::optional<Rest> rest() const {
        for (int i = 0, calm = 0; i < 400; ++i) {
            Rest found;
            const bool is_calm = receiver() == 0 && look(domains_, found.here, found.here_runs) &&
                                 look(there_, found.there, found.there_runs);
            EXPECT_LE(found.running(), 1);
            calm = is_calm ? calm + 1 : 0;
            if (calm > 2 && (found.running() == 1 || calm > 20))
                return found;
            std::this_thread::sleep_for(50ms);
        }
        return std::nullopt;
    }

    // Never twice; nowhere only where its own QEMU was killed. Between hosts it may wait, paused, for somebody to look.
    void check(const Rest& found, Victim victim, Way way) {
        const bool was_killed = victim == Victim::qemu_here || victim == Victim::qemu_there;
        if (way == Way::away && found.here && !found.here_runs) {
            if (found.there_runs)
                domains_.destroy("tiny");
            else
                domains_.unpause("tiny");
            ++left_paused_;
        } else {
            ASSERT_TRUE(found.running() == 1 || (was_killed && !found.here && !found.there));
            ASSERT_FALSE(found.here && found.there);
        }
        if (found.there_runs && way == Way::with_disks) {
            EXPECT_EQ(fs::path(there_.configuration("tiny").disks[0].target).parent_path(), copies_);
        } else if (way == Way::with_disks && found.here && victim != Victim::receiver) {
            EXPECT_FALSE(fs::exists(copies_)) << fmt::format("{}", fmt::join(names_in(copies_), " "));
        }
        if (!found.here && !found.there)
            return;
        const Domains& where = found.there_runs ? there_ : domains_;
        expect_to_run(where, found.there_runs ? domains_ : there_);
        where.destroy("tiny");
    }

    fs::path copies_ = work_.path() / "copies";
    int left_paused_ = 0;
};

TEST_F(MigrateKillTest, NeverTwiceNorNowhere) {
    std::mt19937 random(std::random_device{}());
    std::array<int, 3> outcomes{};
    std::array<double, 3> longest = {0.25, 0.25, 0.4};
    for (int round = 0; round < rounds(); ++round) {
        const auto which = static_cast<std::size_t>(round) % kVictims.size();
        const auto how = static_cast<std::size_t>(round) / kVictims.size() % kWays.size();
        create(tiny_that_writes());
        {
            const auto console = domains_.open_console("tiny", Domains::ConsoleMode::read);
            read_until(console, "tiny login: ");
        }
        const auto sender = start_move(static_cast<Way>(how));
        const auto begin = std::chrono::steady_clock::now();
        const auto delay = std::uniform_real_distribution<>(0, longest[how])(random);
        std::this_thread::sleep_for(std::chrono::duration<double>(delay));
        kill(static_cast<Victim>(which), sender);
        ::waitpid(sender, nullptr, 0);
        const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        longest[how] = std::min(std::max(longest[how], seconds), 1.5);
        SCOPED_TRACE(
            fmt::format("round {}, {}: the {} was killed after {:.3f} s", round, kWays[how], kVictims[which], delay));
        const auto found = rest();
        ASSERT_TRUE(found);
        ++outcomes[found->here_runs ? 0 : found->there_runs ? 1 : 2];
        check(*found, static_cast<Victim>(which), static_cast<Way>(how));
        if (HasFatalFailure())
            return;
        os::remove_tree(copies_);
    }
    std::printf(
        "%d kills: it ran on here %d times, there %d times, nowhere %d times; paused for somebody to look %d times\n",
        rounds(), outcomes[0], outcomes[1], outcomes[2], left_paused_);
}

}  // namespace
}  // namespace vprov::hypervisor
