#include <gtest/gtest.h>
#include <linux/if_bridge.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "hypervisor/launch/console_log.h"
#include "hypervisor/launch/domain_record.h"
#include "hypervisor/launch/domain_socket.h"
#include "hypervisor/launch/interface_limits.h"
#include "hypervisor/launch/kvm_probe.h"
#include "hypervisor/launch/lifecycle.h"
#include "hypervisor/launch/preflight.h"
#include "hypervisor/launch/process_identity.h"
#include "hypervisor/launch/state_dir.h"
#include "hypervisor/launch/tap.h"

namespace vprov::hypervisor {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

os::TempDir work_dir() {
    return {fs::temp_directory_path(), "vprov-launch-test-"};
}

TEST(Lifecycle, ObeysTheConfiguration) {
    Guest guest;
    guest.on_poweroff = LifecycleAction::preserve;
    guest.on_reboot = LifecycleAction::restart;
    guest.on_crash = LifecycleAction::coredump_destroy;
    Lifecycle lifecycle(guest);
    const Lifecycle::Clock::time_point now{};
    EXPECT_EQ(lifecycle.after(RunEnd::poweroff, now).step, NextStep::keep);
    EXPECT_EQ(lifecycle.after(RunEnd::reboot, now).step, NextStep::restart);
    EXPECT_EQ(lifecycle.after(RunEnd::crash, now).step, NextStep::finish);
    EXPECT_EQ(lifecycle.after(RunEnd::destroyed, now).step, NextStep::finish);
}

TEST(Lifecycle, GivesUpARestartLoop) {
    Guest guest;
    Lifecycle lifecycle(guest);
    Lifecycle::Clock::time_point now{};
    for (int i = 0; i < 5; ++i) EXPECT_EQ(lifecycle.after(RunEnd::reboot, now += 10s).step, NextStep::restart) << i;
    const auto decision = lifecycle.after(RunEnd::reboot, now += 10s);
    EXPECT_EQ(decision.step, NextStep::finish);
    EXPECT_EQ(decision.remark, "restarted 5 times within 60 s: giving up");
    EXPECT_EQ(lifecycle.after(RunEnd::reboot, now += 61s).step, NextStep::restart);
}

TEST(Lifecycle, ReasonsOfQemu) {
    EXPECT_EQ(run_end("guest-shutdown"), RunEnd::poweroff);
    EXPECT_EQ(run_end("guest-reset"), RunEnd::reboot);
    EXPECT_EQ(run_end("guest-panic"), RunEnd::crash);
    EXPECT_EQ(run_end("host-qmp-quit"), RunEnd::destroyed);
    EXPECT_EQ(run_end("host-signal"), RunEnd::destroyed);
}

TEST(DomainRecord, ComesBackFromJson) {
    DomainRecord record;
    record.name = "a";
    record.id = 7;
    record.memory_mib = 512;
    record.vcpus = 2;
    record.phase = Phase::crashed;
    record.engine = "TCG (KVM was tried: too slow)";
    record.disks = {"/a\"b"};
    record.cpu_seconds_before = 1.5;
    record.qemu = {12, 34567, "boot"};
    record.on_trial = true;
    record.template_memory = {{{1, 2, "boot"}, 3, 4}, "5:6"};
    EXPECT_EQ(record_from_json(to_json(record)), record);
    EXPECT_EQ(record_from_json("{\"name\": \"a\"}").name, "a");  // an earlier version's, which knew of less
    EXPECT_THROW(record_from_json("{"), Error);
    EXPECT_THROW(record_from_json("[]"), Error);
}

TEST(LaunchRequest, ComesBackFromJson) {
    LaunchRequest request;
    Guest& guest = request.guest;
    guest.name = "a";
    guest.uuid = "b3f9a7c0-1b5e-4c8e-9d2f-0123456789ab";
    guest.type = GuestType::hvm;
    guest.kernel = "/k";
    guest.ramdisk = "/r";
    guest.cmdline = "x=\"y\" 'z'";
    guest.memory_mib = 1;
    guest.maxmem_mib = 2;
    guest.vcpus = 3;
    guest.maxvcpus = 4;
    guest.disks = {{"/d", DiskFormat::qed, "xvda", false, true}};
    guest.interfaces = {{"m", "b", "e", {{"ip", "1"}}}};
    guest.on_poweroff = LifecycleAction::rename_restart;
    guest.on_reboot = LifecycleAction::preserve;
    guest.on_crash = LifecycleAction::coredump_restart;
    guest.boot = "cd";
    guest.vnc = true;
    guest.vnclisten = "::1";
    request.engine = EngineChoice::tcg;
    request.guest.interfaces[0].segment = "lan";
    request.guest.interfaces[0].forwards = {{true, "0.0.0.0", 53, 5353}};
    request.sandbox = false;
    request.guest.agent = true;
    request.template_memory = "/t/memory";
    request.needs_ram_file = true;
    request.on_trial = true;
    EXPECT_EQ(request_from_json(to_json(request)), request);
    auto earlier = nlohmann::json::parse(to_json(request));  // as a version wrote it that did not know of these
    earlier.erase("sandbox");
    earlier["guest"].erase("agent");
    for (const auto* const key : {"segment", "forwards"}) earlier["guest"]["interfaces"][0].erase(key);
    request.guest.interfaces[0] = {"m", "b", "e", {{"ip", "1"}}};
    request.sandbox = true;
    request.guest.agent = false;
    EXPECT_EQ(request_from_json(earlier.dump()), request);
    const LaunchAnswer answer{"why", 3, "KVM", {"a", "b"}};
    EXPECT_EQ(answer_from_json(to_json(answer)), answer);
}

TEST(StateDir, CountsIdsAndListsNames) {
    const auto work = work_dir();
    const StateDir state(work.path() / "deep" / "state");
    EXPECT_EQ(state.take_id(), 1U);
    EXPECT_EQ(state.take_id(), 2U);
    fs::create_directory(state.domain("b"));
    fs::create_directory(state.domain("a"));
    fs::create_directory(state.root() / "dom" / ".hidden");
    EXPECT_EQ(state.names(), (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(state.read("a"));
    EXPECT_FALSE(state.is_supervised("a"));
    DomainRecord record;
    record.name = "a";
    state.write(record);
    EXPECT_EQ(state.read("a"), record);
    EXPECT_EQ(fs::status(state.domain("a") / "dom.json").permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(fs::status(state.root()).permissions(), fs::perms::owner_all);
    state.remove("a");
    EXPECT_EQ(state.names(), (std::vector<std::string>{"b"}));
}

TEST(StateDir, RefusesALink) {
    const auto work = work_dir();
    fs::create_directory_symlink(work.path(), work.path() / "link");
    EXPECT_THROW(StateDir(work.path() / "link"), Error);
}

TEST(ProcessIdentity, ToldApartFromALaterProcessOfThatPid) {
    auto mine = identify_process(::getpid());
    EXPECT_TRUE(is_alive(mine));
    auto other = mine;
    ++other.start_ticks;
    EXPECT_FALSE(is_alive(other));
    other = mine;
    other.boot_id = "another boot";
    EXPECT_FALSE(is_alive(other));
    EXPECT_FALSE(is_alive({}));
}

TEST(ProcessIdentity, AZombieHasEnded) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    const auto identity = identify_process(child);
    const auto pidfd = open_process(identity);
    ASSERT_TRUE(pidfd.is_open());
    EXPECT_FALSE(wait_for_end(pidfd, 0ms));
    send_signal(pidfd, SIGKILL);
    EXPECT_TRUE(wait_for_end(pidfd, 10s));
    EXPECT_FALSE(is_alive(identity));
    ::waitpid(child, nullptr, 0);
}

TEST(ConsoleLog, KeepsTheEndInWholeLines) {
    const auto work = work_dir();
    ConsoleLog log(work.path() / "console.log", true);
    log.append("first\n");
    EXPECT_EQ(log.recent(), "first\n");
    const std::string line(99, 'x');
    for (int i = 0; i < 20000; ++i) log.append(line + "\n");
    EXPECT_LE(log.recent().size(), ConsoleLog::kMemory);
    EXPECT_GT(log.recent().size(), ConsoleLog::kMemory - 200);
    EXPECT_TRUE(log.recent().starts_with(line + "\n"));
    EXPECT_LE(fs::file_size(work.path() / "console.log"), ConsoleLog::kFile);
    EXPECT_LE(fs::file_size(work.path() / "console.log.1"), ConsoleLog::kFile);
    EXPECT_FALSE(fs::exists(work.path() / "console.log.2"));
}

class ScriptedService : public DomainSocket::Service {
  public:
    std::string answer(std::string_view request) override { return request == "shutdown" ? "ok" : "error what?"; }
    std::string begin_operation(std::string_view what) override {
        said += fmt::format("begin {};", what);
        return what == "save" ? "ok" : "error busy";
    }
    std::string go_on(std::string_view line) override {
        said += fmt::format("{};", line);
        return "ok";
    }
    void take_back_operation() override { said += "taken back;"; }
    std::string said;
};

TEST(DomainSocket, AnOperationIsTakenBackWhenItsClientGoesAway) {
    const auto work = work_dir();
    ScriptedService service;
    DomainSocket socket(listen_at(work.path(), "socket"), work.path() / "log", DomainSocket::Log::begin, service);
    const auto serve = [&] {
        for (int i = 0; i < 4; ++i) {
            std::vector<pollfd> polls;
            socket.append_polls(polls);
            ::poll(polls.data(), polls.size(), 50);
            socket.handle(polls);
        }
    };
    for (const std::string_view lines : {"operate move\n", "operate save\nmore\ndone\n", "operate save\nmore\n"}) {
        service.said.clear();
        {
            const auto client = connect_to(work.path(), "socket");
            ASSERT_EQ(::send(client.get(), lines.data(), lines.size(), 0), static_cast<ssize_t>(lines.size()));
            serve();
        }
        serve();
        EXPECT_EQ(service.said, lines.find("done") != std::string_view::npos   ? "begin save;more;done;"
                                : lines.find("save") == std::string_view::npos ? "begin move;"
                                                                               : "begin save;more;taken back;");
    }
}

TEST(DomainSocket, AnswersRequests) {
    const auto work = work_dir();
    ScriptedService service;
    DomainSocket socket(listen_at(work.path(), "socket"), work.path() / "log", DomainSocket::Log::begin, service);
    const auto turn = [&] {
        std::vector<pollfd> polls;
        socket.append_polls(polls);
        ::poll(polls.data(), polls.size(), 1000);
        socket.handle(polls);
    };
    for (const auto& [request, expected] :
         {std::pair<std::string, std::string>{"shutdown\n", "ok\n"}, {"x\n", "error what?\n"}}) {
        const auto client = connect_to(work.path(), "socket");
        ASSERT_EQ(::send(client.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
        turn();
        turn();
        std::array<char, 64> buffer{};
        const auto count = ::recv(client.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        EXPECT_EQ(std::string(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0), expected);
        EXPECT_EQ(::recv(client.get(), buffer.data(), buffer.size(), MSG_DONTWAIT), 0);
    }
    const auto endless = connect_to(work.path(), "socket");
    const std::string noise(4096, 'a');
    for (int i = 0; i < 100 && ::send(endless.get(), noise.data(), noise.size(), MSG_NOSIGNAL) > 0; ++i) turn();
    turn();
    char c = 0;
    EXPECT_LE(::recv(endless.get(), &c, 1, MSG_DONTWAIT), 0);
    EXPECT_NE(errno, EAGAIN);
}

TEST(Preflight, MakesPathsAbsoluteAndSaysWhatDiffers) {
    const auto work = work_dir();
    for (const auto* name : {"k", "r", "d.img"}) os::write_file(work.path() / name, "x");
    Guest guest;
    guest.name = "a";
    guest.kernel = "k";
    guest.ramdisk = "./r";
    guest.disks = {{"d.img", DiskFormat::raw, "xvda", true, false}};
    guest.vnc = true;
    guest.vnclisten = "0.0.0.0";
    guest.on_crash = LifecycleAction::coredump_restart;
    guest.on_reboot = LifecycleAction::rename_restart;
    const auto prepared = prepare_guest(guest, work.path());
    EXPECT_EQ(prepared.guest.kernel, work.path() / "k");
    EXPECT_EQ(prepared.guest.ramdisk, work.path() / "r");
    EXPECT_EQ(prepared.guest.disks[0].target, work.path() / "d.img");
    EXPECT_EQ(prepared.warnings,
              (std::vector<std::string>{"'a' is a pv domain: QEMU boots its kernel directly, on a virtual PC",
                                        "on_reboot: nothing is renamed, the domain is restarted",
                                        "on_crash: no core is written, the domain is restarted",
                                        "VNC listens on 127.0.0.1 and not on '0.0.0.0'"}));
}

TEST(Tap, MissingBridge) {
    EXPECT_FALSE(bridge_exists("vprov-none"));
    EXPECT_FALSE(bridge_exists("../../.."));
    const auto side = connect_interface({"", "vprov none", "", {}}, "vif1.0");
    EXPECT_FALSE(side.tap.is_open());
    EXPECT_EQ(
        side.warning,
        "bridge 'vprov none' does not exist: using user-mode networking (see ip link add 'vprov none' type bridge)");
}

TEST(Memory, WhatIsFree) {
    EXPECT_EQ(free_memory("MemTotal: 9 kB\nMemAvailable:    2048 kB\nSwapTotal: 3 kB\nSwapFree:  1024 kB\n"), 3U << 20);
    EXPECT_EQ(free_memory("MemTotal: 9 kB\nSwapFree: 1 kB\n"), std::nullopt);
}

TEST(InterfaceLimits, RulesForNft) {
    GuestInterface vif;
    std::vector<std::string> warnings;
    EXPECT_EQ(filter_rules(vif, "00:16:3e:00:00:01", "vif1.0", warnings), "");
    vif.ip = "10.0.0.5  10.1.0.0/24 2001:db8::5 ten 10.0.0.5;drop 10.0.0.5/ 10.0.0.5/1234";
    vif.rate = "10Mb/s";
    EXPECT_EQ(filter_rules(vif, "00:16:3e:00:00:01", "vif1.0", warnings),
              "add table netdev vprov-vif1.0\n"
              "delete table netdev vprov-vif1.0\n"
              "table netdev vprov-vif1.0 {\n"
              "  chain from-guest {\n"
              "    type filter hook ingress device \"vif1.0\" priority 0; policy accept;\n"
              "    ether saddr != 00:16:3e:00:00:01 drop\n"
              "    arp saddr ether != 00:16:3e:00:00:01 drop\n"
              "    arp saddr ip != { 0.0.0.0, 10.0.0.5, 10.1.0.0/24 } drop\n"
              "    ip saddr != { 0.0.0.0, 10.0.0.5, 10.1.0.0/24 } drop\n"
              "    ip6 saddr != { ::, fe80::/10, 2001:db8::5 } drop\n"
              "    limit rate over 1250000 bytes/second burst 65536 bytes drop\n"
              "  }\n"
              "}\n");
    EXPECT_EQ(warnings, (std::vector<std::string>{"'ten' of an interface's ip is not an address",
                                                  "'10.0.0.5;drop' of an interface's ip is not an address",
                                                  "'10.0.0.5/' of an interface's ip is not an address",
                                                  "'10.0.0.5/1234' of an interface's ip is not an address"}));
}

// In a network namespace of its own, in a child: the machine's interfaces are left alone.
TEST(Tap, JoinsItsBridge) {
    const pid_t child = ::fork();
    if (child == 0) {
        constexpr int kCannot = 77;
        if (::unshare(CLONE_NEWNET) != 0)
            ::_exit(kCannot);
        const os::Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (::ioctl(control.get(), SIOCBRADDBR, "vprovbr0") != 0 || ::access("/dev/net/tun", R_OK | W_OK) != 0)
            ::_exit(kCannot);
        const auto side = connect_interface({"", "vprovbr0", "", {}}, "vif7.0");
        const auto index = ::if_nametoindex("vif7.0");
        std::array<int, 8> ports{};
        std::array<unsigned long, 4> ask = {BRCTL_GET_PORT_LIST, reinterpret_cast<unsigned long>(ports.data()),
                                            ports.size(), 0};
        ifreq request{};
        std::strcpy(request.ifr_name, "vprovbr0");
        request.ifr_data = reinterpret_cast<char*>(ask.data());
        const bool is_port =
            ::ioctl(control.get(), SIOCDEVPRIVATE, &request) >= 0 && static_cast<unsigned>(ports[1]) == index;
        ::_exit(bridge_exists("vprovbr0") && side.tap.is_open() && side.warning.empty() && index != 0 && is_port ? 0
                                                                                                                 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        GTEST_SKIP() << "no right to make bridges and taps here";
    EXPECT_EQ(status, 0);
}

TEST(Engine, SaysWhichAndWhy) {
    EXPECT_EQ(choose_engine(EngineChoice::tcg).description, "TCG (asked for)");
    const auto kvm = probe_kvm();
    EXPECT_EQ(kvm.usable, kvm.reason.empty());
    const auto automatic = choose_engine(EngineChoice::automatic);
    EXPECT_EQ(automatic.engine, kvm.usable ? Engine::kvm : Engine::tcg);
    EXPECT_EQ(automatic.description, kvm.usable ? "KVM" : "TCG (" + kvm.reason + ")");
    if (!kvm.usable) {
        EXPECT_THROW(choose_engine(EngineChoice::kvm), Error);
    }
}

}  // namespace
}  // namespace vprov::hypervisor
