// Whole domains, from create to destroy.
#include "hypervisor/domains_fixture.h"
#include "hypervisor/launch/spawn_supervisor.h"

namespace vprov::hypervisor {
namespace {

TEST_F(DomainsTest, FromCreateToDestroy) {
    const auto created = create(tiny("tiny"));
    EXPECT_EQ(created.name, "tiny");
    EXPECT_EQ(created.id, 1U);
    EXPECT_EQ(created.engine, "TCG (asked for)");
    EXPECT_EQ(created.warnings, std::vector<std::string>());
    const auto list = domains_.list();
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].name, "tiny");
    EXPECT_EQ(list[0].id, 1U);
    EXPECT_EQ(list[0].memory_mib, 32U);
    EXPECT_EQ(list[0].vcpus, 1U);
    EXPECT_TRUE(list[0].state == "r-----" || list[0].state == "-b----") << list[0].state;
    EXPECT_TRUE(list[0].supervised);
    EXPECT_TRUE(domains_.is_running("tiny"));
    EXPECT_FALSE(domains_.is_running("other"));
    EXPECT_EQ(domains_.find("1").name, "tiny");
    EXPECT_EQ(error_of_creating(tiny("tiny")), "cannot create 'tiny': a domain of that name is running (id 1)");
    domains_.destroy("tiny");
    EXPECT_TRUE(domains_.list().empty());
    EXPECT_FALSE(fs::exists(domains_.state().domain("tiny")));
    EXPECT_THROW(domains_.destroy("tiny"), Error);
}

TEST_F(DomainsTest, TheLoginPromptIsSeen) {
    create(tiny("tiny"));
    std::vector<std::string> lines;
    const auto login = domains_.wait_for_login("tiny", 60s, [&](std::string_view line) { lines.emplace_back(line); });
    EXPECT_TRUE(login.reached) << login.cause << login.last_lines;
    EXPECT_GT(login.seconds, 0);
    EXPECT_FALSE(lines.empty());
    const auto again = domains_.wait_for_login("tiny", 60s);  // the prompt is among what was said before
    EXPECT_TRUE(again.reached);
}

TEST_F(DomainsTest, NoPromptHasACause) {
    const auto empty = work_.path() / "empty.img";
    os::write_file(empty, std::string(1 << 20, '\0'));
    auto guest = tiny("empty");
    guest.disks[0].target = empty;
    create(guest);
    const auto login = domains_.wait_for_login("empty", 60s);
    EXPECT_FALSE(login.reached);
    EXPECT_EQ(login.cause, "the disk has no boot loader: SeaBIOS found nothing to boot");
    EXPECT_NE(login.last_lines.find("No bootable device"), std::string::npos) << login.last_lines;
    EXPECT_LT(login.seconds, 55);
}

TEST_F(DomainsTest, ConsoleHasOneWriterAndReplaysWhatWasSaid) {
    create(tiny("tiny"));
    const auto writer = domains_.open_console("tiny", Domains::ConsoleMode::write);
    EXPECT_TRUE(writer.writable);
    EXPECT_TRUE(read_until(writer, "tiny login: ").ends_with("tiny login: "));
    const auto second = domains_.open_console("tiny", Domains::ConsoleMode::write);
    EXPECT_FALSE(second.writable);
    EXPECT_GT(second.recent, 12U);
    EXPECT_TRUE(read_until(second, "tiny login: ").ends_with("tiny login: "));
    type(second, "ignored");
    type(writer, "hallo!");
    EXPECT_EQ(read_until(writer, "!"), "hallo!");
    EXPECT_EQ(read_until(second, "!"), "hallo!");
}

TEST_F(DomainsTest, AClientThatDoesNotReadStallsNobody) {
    create(tiny("tiny"));
    const auto writer = domains_.open_console("tiny", Domains::ConsoleMode::write);
    read_until(writer, "tiny login: ");
    const auto sleeper = domains_.open_console("tiny", Domains::ConsoleMode::read);
    constexpr int kRounds = 40;  // of 32 KiB: more than the socket's buffer and its queue together hold
    for (int i = 0; i < kRounds; ++i) {
        type(writer, "f");
        ASSERT_TRUE(read_until(writer, "!").ends_with("x!")) << i;
    }
    type(writer, "Z");
    EXPECT_EQ(read_until(writer, "Z"), "Z");
    EXPECT_NE(read_until(sleeper, " bytes lost]").find(" bytes lost]"), std::string::npos);
}

TEST_F(DomainsTest, PoweroffEndsTheDomain) {
    create(tiny("tiny"));
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    type(console, "p");
    EXPECT_EQ(read_until(console, "no such text"), "\r\n[tiny powered off]\r\n");
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
}

TEST_F(DomainsTest, RebootRestartsUnderANewId) {
    create(tiny("tiny"));
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    type(console, "r");
    EXPECT_TRUE(read_until(console, "tiny login: ").starts_with("\r\n[tiny rebooted]\r\n"));
    EXPECT_EQ(domains_.find("tiny").id, 2U);
    type(console, "Z");
    EXPECT_EQ(read_until(console, "Z"), "Z");
}

TEST_F(DomainsTest, PreservedAfterPoweroffAndCrash) {
    auto guest = tiny("kept");
    guest.on_poweroff = LifecycleAction::preserve;
    create(guest);
    auto console = domains_.open_console("kept", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    type(console, "p");
    read_until(console, "[kept powered off]");
    EXPECT_EQ(domains_.find("kept").state, "---s--");
    EXPECT_THROW(domains_.shutdown("kept"), Error);
    domains_.destroy("kept");
    guest.on_crash = LifecycleAction::preserve;
    create(guest);
    console = domains_.open_console("kept", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    type(console, "c");
    read_until(console, "[kept crashed]");
    EXPECT_EQ(domains_.find("kept").state, "----c-");
}

TEST_F(DomainsTest, WhatIsDeadIsCleanedAway) {
    create(tiny("tiny"));
    const auto record = domains_.state().read("tiny");
    ASSERT_TRUE(record);
    for (const auto& process : {record->supervisor, record->qemu}) {
        const auto pidfd = open_process(process);
        send_signal(pidfd, SIGKILL);
        ASSERT_TRUE(wait_for_end(pidfd, 10s));
    }
    EXPECT_TRUE(fs::exists(domains_.state().domain("tiny")));
    EXPECT_TRUE(domains_.list().empty());
    EXPECT_FALSE(fs::exists(domains_.state().domain("tiny")));
}

TEST_F(DomainsTest, AKilledQemuIsACrash) {
    create(tiny("tiny"));
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::read);
    const auto record = domains_.state().read("tiny");
    ASSERT_TRUE(record);
    send_signal(open_process(record->qemu), SIGKILL);
    EXPECT_NE(read_until(console, "no such text").find("[QEMU has ended: QEMU ended without a word]"),
              std::string::npos);
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
}

TEST_F(DomainsTest, ATerminatedSupervisorEndsItsDomain) {
    create(tiny("tiny"));
    const auto record = domains_.state().read("tiny");
    ASSERT_TRUE(record);
    const auto supervisor = open_process(record->supervisor);
    send_signal(supervisor, SIGTERM);  // the power button first; this guest does not know it
    const auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    type(console, "r");  // even a reboot ends it now
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
}

TEST_F(DomainsTest, ADiskInUseNamesTheDomain) {
    auto first = tiny("first");
    first.disks[0].writable = true;
    create(first);
    auto second = tiny("second");
    second.disks[0].writable = true;
    EXPECT_EQ(error_of_creating(second),
              fmt::format("cannot start 'second': its disk {} is in use by the domain 'first'", quote(disk_.native())));
}

// What a command does that may be killed then; its end of the channel.
os::Fd begin_to_create(const Domains& domains, const Guest& guest, bool incoming) {
    const auto program = fs::read_symlink("/proc/self/exe").native();
    auto channel = spawn_supervisor({program, "supervise", domains.state().root().native(), guest.name});
    LaunchRequest order;
    order.guest = guest;
    order.engine = EngineChoice::tcg;
    order.incoming = incoming;
    os::send_all(channel, to_json(order), "the order", ErrorKind::hypervisor);
    ::shutdown(channel.get(), SHUT_WR);
    return channel;
}

TEST_F(DomainsTest, OneThatWaitsForItsStateEndsWithWhoAskedForIt) {
    auto channel = begin_to_create(domains_, tiny("tiny"), true);
    const auto is_waiting = [&] {
        const auto record = domains_.state().read("tiny");
        return record && record->phase == Phase::incoming;
    };
    for (int i = 0; i < 1000 && !is_waiting(); ++i) std::this_thread::sleep_for(20ms);
    ASSERT_TRUE(is_waiting());
    EXPECT_FALSE(domains_.wait_until_gone("tiny", 500ms));
    channel.reset();
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 5s));
}

TEST_F(DomainsTest, OneThatStartsEndsWithWhoAskedForIt) {
    for (const bool incoming : {false, true}) {
        auto channel = begin_to_create(domains_, tiny("tiny"), incoming);
        const auto has_qemu = [&] {
            const auto record = domains_.state().read("tiny");
            return record && record->qemu.pid != 0;
        };
        for (int i = 0; i < 20000 && !has_qemu(); ++i) std::this_thread::sleep_for(1ms);
        ASSERT_TRUE(has_qemu());
        channel.reset();  // before QEMU listens to anybody
        EXPECT_TRUE(domains_.wait_until_gone("tiny", 5s));
    }
}

TEST_F(DomainsTest, ManyDomainsWithTheSameReadOnlyDisk) {
    create(tiny("b"));
    create(tiny("a"));
    const auto list = domains_.list();
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].name, "b");
    EXPECT_EQ(list[1].name, "a");
}

TEST_F(DomainsTest, WhatCannotStartIsSaidBeforeAnythingRuns) {
    auto guest = tiny("bad");
    guest.disks[0].target = "missing.img";
    EXPECT_EQ(error_of_creating(guest),
              fmt::format("cannot start 'bad': the disk xvda '{}/missing.img' does not exist", work_.path().native()));
    guest.disks[0].target = ".";
    EXPECT_EQ(error_of_creating(guest),
              fmt::format("cannot start 'bad': the disk xvda '{}/' is neither a file nor a block device",
                          work_.path().native()));
    guest = tiny("bad");
    guest.kernel = "/no/kernel";
    EXPECT_EQ(error_of_creating(guest), "cannot start 'bad': the kernel '/no/kernel' does not exist");
    guest.kernel = "";
    guest.type = GuestType::pvh;
    EXPECT_EQ(error_of_creating(guest),
              "cannot start 'bad': its configuration names no kernel (kernel=\"...\"), which a pv or pvh "
              "domain needs");
    guest = tiny("a/b");
    EXPECT_EQ(error_of_creating(guest), "cannot create a domain named 'a/b': letters, digits and . _ + - only");
}

TEST_F(DomainsTest, QemusComplaintReachesTheUser) {
    auto guest = tiny("bad");
    guest.disks[0].format = DiskFormat::qcow2;
    const auto message = error_of_creating(guest);
    EXPECT_TRUE(message.starts_with("cannot start 'bad': QEMU said:\nqemu-system-x86_64: -blockdev ")) << message;
    EXPECT_TRUE(message.ends_with("Image is not in qcow2 format")) << message;
}

TEST_F(DomainsTest, AMissingBridgeIsSaid) {
    auto guest = tiny("net");
    guest.interfaces = {{"", "vprov-none", "", {}}};
    EXPECT_EQ(
        create(guest).warnings,
        (std::vector<std::string>{"bridge 'vprov-none' does not exist: using user-mode networking (see ip link add "
                                  "vprov-none type bridge)"}));
}

TEST_F(DomainsTest, SupervisorHoldsNothingOfItsStarter) {
    const auto pipe = os::make_pipe();
    const int inherited = ::dup(pipe.write.get());  // without close-on-exec, as a CI job's pipe is
    ASSERT_GE(inherited, 0);
    create(tiny("tiny"));
    ::close(inherited);
    const auto record = domains_.state().read("tiny");
    ASSERT_TRUE(record);
    for (const auto& process : {record->supervisor, record->qemu}) {
        for (const int fd : {0, 1, 2}) {
            const auto target = fs::read_symlink(fmt::format("/proc/{}/fd/{}", process.pid, fd)).native();
            EXPECT_TRUE(target == "/dev/null" || target.starts_with("pipe:")) << target;
        }
        struct stat ours {};
        ASSERT_EQ(::fstat(pipe.read.get(), &ours), 0);
        for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", process.pid))) {
            struct stat theirs {};
            if (::stat(entry.path().c_str(), &theirs) == 0) {
                EXPECT_FALSE(theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev) << entry.path();
            }
        }
    }
}

TEST_F(DomainsTest, ALongStateDirectoryWorks) {
    const Domains deep(StateDir(work_.path() / std::string(120, 'd') / std::string(63, 'e')));
    const std::string name(63, 'n');
    deep.create(tiny(name), {fs::read_symlink("/proc/self/exe").native(), EngineChoice::tcg, work_.path()});
    EXPECT_TRUE(deep.wait_for_login(name, 60s).reached);
    deep.destroy(name);
    EXPECT_TRUE(deep.list().empty());
}

TEST_F(DomainsTest, QemuTakesEveryKindOfDevice) {
    auto guest = tiny("full");
    for (const auto* name : {"a.img", "b,b.img", "c.img", "d.iso"})
        os::write_file(work_.path() / name, std::string(1 << 20, '\0'));
    guest.disks.push_back({"a.img", DiskFormat::raw, "hda", true, false});
    guest.disks.push_back({"b,b.img", DiskFormat::raw, "sda", true, false});
    guest.disks.push_back({"c.img", DiskFormat::raw, "xvdc2", true, false});
    guest.disks.push_back({"d.iso", DiskFormat::raw, "hdc", false, true});
    guest.disks.push_back({"", DiskFormat::empty, "hdd", false, true});
    for (const auto* model : {"", "e1000", "rtl8139", "virtio-net"}) guest.interfaces.push_back({"", "", model, {}});
    guest.vnc = true;
    guest.boot = "cdn";
    guest.vcpus = 2;
    guest.maxvcpus = 4;
    create(guest);
    EXPECT_TRUE(domains_.wait_for_login("full", 60s).reached);
    EXPECT_EQ(domains_.find("full").vcpus, 2U);
}

TEST_F(DomainsTest, MisspeltNamesAreCompleted) {
    create(tiny("debian1"));
    try {
        domains_.find("debain1");
        ADD_FAILURE();
    } catch (const Error& e) {
        EXPECT_EQ(e.message(),
                  "cannot find a domain named 'debain1': no such domain is running (did you mean 'debian1'?)");
    }
    try {
        domains_.find("77");
        ADD_FAILURE();
    } catch (const Error& e) {
        EXPECT_EQ(e.message(), "cannot find a domain with the id '77': no such domain is running");
    }
}

}  // namespace
}  // namespace vprov::hypervisor
