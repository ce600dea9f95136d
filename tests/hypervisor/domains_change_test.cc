// Running domains that are paused, renamed, restarted, and left by their supervisor.
#include <fcntl.h>

#include "hypervisor/domains_fixture.h"

namespace vprov::hypervisor {
namespace {

class DomainChangeTest : public DomainsTest {
  protected:
    std::string state(const std::string& name, char wanted, std::size_t place) const {
        for (int i = 0; i < 100 && domains_.find(name).state[place] != wanted; ++i) std::this_thread::sleep_for(20ms);
        return domains_.find(name).state;
    }
    Provisional create_incoming(const std::string& name) const {
        return domains_.create_incoming(
            tiny(name), {fs::read_symlink("/proc/self/exe").native(), EngineChoice::tcg, work_.path()}, {}, "restore");
    }
    Provisional create_on_trial(const std::string& name) const {
        return domains_.create_on_trial(
            tiny(name), {fs::read_symlink("/proc/self/exe").native(), EngineChoice::tcg, work_.path()}, "template");
    }
    void kill_supervisor(const std::string& name) const {
        const auto supervisor = open_process(domains_.state().read(name)->supervisor);
        send_signal(supervisor, SIGKILL);
        ASSERT_TRUE(wait_for_end(supervisor, 10s));
    }
    static std::string error_of(const std::function<void()>& change) {
        try {
            change();
        } catch (const Error& e) {
            return e.message();
        }
        return "no error";
    }
};

TEST_F(DomainChangeTest, PausedUntilUnpaused) {
    create(tiny("tiny"));
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    domains_.pause("tiny");
    EXPECT_EQ(state("tiny", 'p', 2), "--p---");
    domains_.pause("tiny");
    type(console, "Z");
    pollfd waiting{console.stream.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&waiting, 1, 300), 0);
    EXPECT_EQ(error_of([&] { domains_.shutdown("tiny"); }), "cannot shutdown 'tiny': it is paused");
    domains_.unpause("tiny");
    EXPECT_EQ(read_until(console, "Z"), "Z");
    EXPECT_EQ(state("tiny", '-', 2)[2], '-');
    EXPECT_EQ(error_of([&] { domains_.unpause("tiny"); }), "cannot unpause 'tiny': it is not paused");
}

TEST_F(DomainChangeTest, CreatedPausedItHasNotBegun) {
    domains_.create(tiny("tiny"), {fs::read_symlink("/proc/self/exe").native(), EngineChoice::tcg, work_.path(), true});
    EXPECT_EQ(domains_.find("tiny").state, "--p---");
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::read);
    EXPECT_EQ(console.recent, 0U);
    domains_.unpause("tiny");
    EXPECT_TRUE(read_until(console, "tiny login: ").ends_with("tiny login: "));
}

TEST_F(DomainChangeTest, APowerOffThatWasAskedForAsAReboot) {
    create(tiny("tiny"));
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    domains_.reboot("tiny");  // this guest does not know the button; its user does
    type(console, "p");
    EXPECT_TRUE(read_until(console, "tiny login: ").starts_with("\r\n[tiny rebooted]\r\n"));
    EXPECT_EQ(domains_.find("tiny").id, 2U);
    type(console, "p");
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
}

TEST_F(DomainChangeTest, ARenamedDomainGoesOn) {
    create(tiny("one"));
    create(tiny("other"));
    const auto console = domains_.open_console("one", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    EXPECT_EQ(error_of([&] { domains_.rename("one", "other"); }),
              "cannot rename 'one': a domain named 'other' is running");
    EXPECT_EQ(error_of([&] { domains_.rename("one", "a b"); }),
              "cannot rename 'one': letters, digits and . _ + - only");
    domains_.rename("one", "two");
    EXPECT_FALSE(domains_.is_running("one"));
    EXPECT_EQ(domains_.find("two").id, 1U);
    type(console, "Z");
    EXPECT_EQ(read_until(console, "Z"), "Z");
    domains_.pause("two");
    domains_.unpause("two");
    type(console, "r");
    EXPECT_TRUE(read_until(console, "tiny login: ").starts_with("\r\n[two rebooted]\r\n"));
}

TEST_F(DomainChangeTest, AKilledSupervisorIsReplaced) {
    create(tiny("tiny"));
    {
        const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
        read_until(console, "tiny login: ");
    }
    const auto qemu = domains_.state().read("tiny")->qemu;
    kill_supervisor("tiny");
    const auto list = domains_.list();
    ASSERT_EQ(list.size(), 1U);
    EXPECT_TRUE(list[0].supervised);
    EXPECT_EQ(domains_.state().read("tiny")->qemu, qemu);
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
    EXPECT_TRUE(console.writable);
    EXPECT_GT(console.recent, 12U);
    read_until(console, "[a new supervisor has taken over]\r\n");
    type(console, "Z");
    EXPECT_EQ(read_until(console, "Z"), "Z");
    type(console, "r");
    EXPECT_TRUE(read_until(console, "tiny login: ").starts_with("\r\n[tiny rebooted]\r\n"));
    domains_.destroy("tiny");
    EXPECT_FALSE(is_alive(qemu));
}

TEST_F(DomainChangeTest, WhatHappenedWhileNobodySupervised) {
    create(tiny("off"));
    const auto console = domains_.open_console("off", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    const auto qemu = open_process(domains_.state().read("off")->qemu);
    auto monitor = domains_.monitor("off");
    kill_supervisor("off");
    monitor.execute("system_powerdown");
    error_of([&] { monitor.execute("quit"); });  // it may be gone before its answer is
    ASSERT_TRUE(wait_for_end(qemu, 10s));
    EXPECT_TRUE(domains_.list().empty());
}

TEST_F(DomainChangeTest, AnOperationThatIsDroppedLetsTheDomainGoOn) {
    create(tiny("tiny"));
    {
        const auto operation = domains_.operate("tiny", "save");
        EXPECT_EQ(error_of([&] { domains_.operate("tiny", "save"); }),
                  "cannot go on with 'tiny': another command is at it (save)");
        domains_.pause("tiny");
        EXPECT_EQ(state("tiny", 'p', 2), "--p---");
    }
    EXPECT_EQ(state("tiny", '-', 2)[2], '-');
    auto operation = domains_.operate("tiny", "save");
    domains_.pause("tiny");
    operation.done();
    EXPECT_EQ(state("tiny", 'p', 2), "--p---");
    domains_.operate("tiny", "save").finish();
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
}

// The guest is made to go on for a while after an operation was dropped; what is wished for since then counts.
TEST_F(DomainChangeTest, APauseAfterAnOperationThatWasDropped) {
    create(tiny("tiny"));
    const auto drop_one = [&] {
        const auto operation = domains_.operate("tiny", "save");
        domains_.pause("tiny");
    };
    drop_one();
    EXPECT_EQ(state("tiny", '-', 2)[2], '-');
    domains_.pause("tiny");
    std::this_thread::sleep_for(300ms);
    EXPECT_EQ(domains_.find("tiny").state, "--p---");
    domains_.unpause("tiny");
    drop_one();
    auto operation = domains_.operate("tiny", "save");  // maybe before it has gone on
    domains_.monitor(operation).execute("stop");
    std::this_thread::sleep_for(300ms);
    EXPECT_EQ(domains_.find("tiny").state, "--p---");
    operation.run();
    EXPECT_EQ(state("tiny", '-', 2)[2], '-');
}

TEST_F(DomainChangeTest, AnOperationEndsWithItsSupervisor) {
    create(tiny("tiny"));
    auto operation = domains_.operate("tiny", "save");
    domains_.pause("tiny");
    EXPECT_EQ(state("tiny", 'p', 2), "--p---");
    kill_supervisor("tiny");
    EXPECT_NE(error_of([&] { operation.done(); }), "no error");
    EXPECT_EQ(state("tiny", '-', 2)[2], '-');
}

TEST_F(DomainChangeTest, AnIncomingDomainThatNobodySendsIsGone) {
    {
        const auto incoming = create_incoming("tiny");
        EXPECT_EQ(domains_.find("tiny").state, "--p---");
        EXPECT_FALSE(domains_.wait_until_gone("tiny", 500ms));
    }
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
}

// What comes of a template runs before it is done, and goes with the command that brings it; also with a supervisor
// that took over meanwhile.
TEST_F(DomainChangeTest, ADomainOnTrialEndsWithItsOperation) {
    {
        auto incoming = create_incoming("tiny");
        auto& operation = incoming.operation;
        operation.try_run();
        EXPECT_NE(error_of([&] { operation.try_run(); }), "no error");
    }
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
    {
        auto incoming = create_incoming("tiny");
        auto& operation = incoming.operation;
        operation.try_run();
        kill_supervisor("tiny");
        EXPECT_NE(error_of([&] { operation.done(); }), "no error");
    }
    domains_.list();  // which brings the next supervisor
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
    {
        auto incoming = create_incoming("tiny");
        auto& operation = incoming.operation;
        operation.try_run();
        operation.done();
    }
    EXPECT_FALSE(domains_.wait_until_gone("tiny", 500ms));
    { const auto operation = domains_.operate("tiny", "save"); }
    EXPECT_FALSE(domains_.wait_until_gone("tiny", 500ms));  // it is like any other now
}

// What a template is made of boots in the same way.
TEST_F(DomainChangeTest, ADomainThatBootsOnTrialEndsWithItsOperation) {
    {
        const auto booting = create_on_trial("tiny");
        EXPECT_FALSE(domains_.wait_until_gone("tiny", 500ms));
        EXPECT_EQ(domains_.find("tiny").state, "--p---");
    }
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
    {
        auto booting = create_on_trial("tiny");
        booting.operation.try_run();
        EXPECT_TRUE(domains_.wait_for_login("tiny", 60s).reached);
        EXPECT_NE(error_of([&] { domains_.operate("tiny", "save"); }), "no error");
    }
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
    {
        auto booting = create_on_trial("tiny");
        booting.operation.try_run();
        kill_supervisor("tiny");
    }
    domains_.list();
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
}

// Its memory and registers through a file, as save and restore do it.
TEST_F(DomainChangeTest, TheStateOfOneDomainBecomesAnother) {
    create(tiny("one"));
    const auto console = domains_.open_console("one", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    const auto file = work_.path() / "state.save";
    const auto wait_for_migration = [](Monitor& monitor) {
        for (std::string status; status != "completed"; std::this_thread::sleep_for(5ms)) {
            status = monitor.execute("query-migrate").value("status", "");
            ASSERT_NE(status, "failed");
        }
    };
    {
        auto operation = domains_.operate("one", "save");
        auto monitor = domains_.monitor("one");
        monitor.execute("stop");
        const auto to = os::open_file(file, O_WRONLY | O_CREAT, 0600, ErrorKind::hypervisor);
        monitor.execute_with(to, "getfd", {{"fdname", "state"}});
        monitor.execute("migrate", {{"uri", "fd:state"}});
        wait_for_migration(monitor);
        operation.finish();
    }
    EXPECT_TRUE(domains_.wait_until_gone("one", 20s));
    auto [created, operation] = create_incoming("two");
    {
        auto monitor = domains_.monitor("two");
        const auto from = os::open_file(file, O_RDONLY, 0, ErrorKind::hypervisor);
        monitor.execute_with(from, "getfd", {{"fdname", "state"}});
        monitor.execute("migrate-incoming", {{"uri", "fd:state"}});
        wait_for_migration(monitor);
    }
    operation.run();
    const auto resumed = domains_.open_console("two", Domains::ConsoleMode::write);
    type(resumed, "Z");  // no boot: it goes on with its loop
    EXPECT_EQ(read_until(resumed, "Z"), "Z");
}

TEST_F(DomainChangeTest, QemusRefusalsComeThroughTheMonitor) {
    create(tiny("tiny"));
    auto monitor = domains_.monitor("tiny");
    EXPECT_EQ(monitor.execute("query-status")["status"], "running");
    EXPECT_EQ(error_of([&] { monitor.execute("device_del", {{"id", "none"}}); }), "Device 'none' not found");
    monitor.execute("stop");
    const auto event = monitor.wait_for({"STOP"}, 5s);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->name, "STOP");
    EXPECT_FALSE(monitor.wait_for({"RESUME"}, 100ms));
}

TEST_F(DomainChangeTest, AMonitorWhoseQemuHasEndedSaysSoAtOnce) {
    create(tiny("tiny"));
    auto monitor = domains_.monitor("tiny");
    error_of([&] { monitor.execute("quit"); });
    error_of([&] { monitor.wait_for({"NONE"}, 10s); });  // until the end has been read
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(error_of([&] { monitor.execute("query-status"); }), "the QEMU of 'tiny' has ended");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 9s);  // it once waited 10 s for each
}

TEST_F(DomainChangeTest, AChangeIsWhatARestartGives) {
    create(tiny("tiny"));
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    auto guest = domains_.configuration("tiny");
    guest.memory_mib = 48;
    domains_.record_change("tiny", guest);
    EXPECT_EQ(domains_.find("tiny").memory_mib, 48U);
    EXPECT_EQ(domains_.configuration("tiny"), guest);
    type(console, "r");
    read_until(console, "tiny login: ");
    const auto size = domains_.monitor("tiny").execute("query-memory-size-summary")["base-memory"];
    EXPECT_EQ(size.get<std::uint64_t>(), 48U << 20);
}

}  // namespace
}  // namespace vprov::hypervisor
