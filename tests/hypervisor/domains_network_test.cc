// Running domains and the networks that they are on, in a network namespace of the test's own.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "hypervisor/domains_fixture.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/launch/interface_limits.h"
#include "hypervisor/launch/tap.h"

namespace vprov::hypervisor {
namespace {

class DomainNetworkTest : public DomainsTest {
  protected:
    void SetUp() override {
        DomainsTest::SetUp();
        if (!IsSkipped() && ::unshare(CLONE_NEWNET) != 0)
            GTEST_SKIP() << "network namespaces take root";
        if (IsSkipped())
            return;
        ASSERT_TRUE(run({"ip", "link", "set", "lo", "up"}).ok());
        bridge_ = ::if_nametoindex("vprovbr0") != 0;
    }

    static os::CommandResult run(std::vector<std::string> argv) {
        return os::SystemCommandRunner().run({std::move(argv), os::clean_environment(), ""});
    }
    Guest connected(std::string name, GuestInterface vif) const {
        auto guest = tiny(std::move(name));
        guest.interfaces = {std::move(vif)};
        return guest;
    }
    static GuestInterface forwarding(unsigned port) {
        GuestInterface vif;
        vif.forwards = {{false, "127.0.0.1", port, 22}};
        return vif;
    }
    static GuestInterface in_segment(std::string name) {
        GuestInterface vif;
        vif.segment = std::move(name);
        return vif;
    }
    static bool connects(unsigned port) {
        const os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }

    // All frames on the interface, of this process' network namespace.
    static os::Fd listener(const std::string& interface) {
        os::Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
        const int large = 16 << 20;
        ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(ETH_P_ALL);
        address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
        EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        return socket;
    }
    // Those that come within a moment of the last one.
    static std::vector<std::string> frames(const os::Fd& socket, int most_milliseconds) {
        std::vector<std::string> all;
        pollfd waiting{socket.get(), POLLIN, 0};
        std::array<char, 2048> buffer{};
        while (::poll(&waiting, 1, most_milliseconds) > 0)
            if (const auto size = ::recv(socket.get(), buffer.data(), buffer.size(), 0); size > 0)
                all.emplace_back(buffer.data(), static_cast<std::size_t>(size));
        return all;
    }

    os::Fd network_of(const std::string& domain, const std::string& segment) const {
        const auto record = domains_.state().read(domain);
        return os::open_file(fmt::format("/proc/{}/fd/{}", record->qemu.pid, record->segments.at(segment)), O_RDONLY);
    }
    static ino_t inode(const os::Fd& fd) {
        struct stat status {};
        EXPECT_EQ(::fstat(fd.get(), &status), 0);
        return status.st_ino;
    }

    bool bridge_ = false;
};

TEST_F(DomainNetworkTest, APortOfTheHostLeadsToTheGuest) {
    EXPECT_FALSE(connects(22022));
    create(connected("one", forwarding(22022)));
    EXPECT_TRUE(connects(22022));
    const auto known =
        domains_.monitor("one").execute("human-monitor-command", {{"command-line", "info usernet"}}).get<std::string>();
    EXPECT_NE(known.find("HOST_FORWARD"), std::string::npos) << known;
    EXPECT_EQ(error_of_creating(connected("two", forwarding(22022))),
              "cannot start 'two': its port 22022 of 127.0.0.1 cannot be forwarded: Address already in use");
    EXPECT_EQ(error_of_creating(connected("two", forwarding(22))),
              "cannot start 'two': its port 22 of 127.0.0.1 cannot be forwarded: ports below 1024 are root's, and QEMU "
              "is not root");
    domains_.destroy("one");
    EXPECT_FALSE(connects(22022));
    create(connected("two", forwarding(22022)));
}

TEST_F(DomainNetworkTest, GuestsOfASegmentHearEachOther) {
    create(connected("a", in_segment("lan")));
    create(connected("b", in_segment("lan")));
    create(connected("c", in_segment("other")));
    const auto own = os::open_file("/proc/self/ns/net", O_RDONLY);
    const auto lan = network_of("a", "lan");
    EXPECT_EQ(inode(lan), inode(network_of("b", "lan")));
    EXPECT_NE(inode(lan), inode(network_of("c", "other")));
    EXPECT_NE(inode(lan), inode(own));
    EXPECT_EQ(::if_nametoindex("vif1.0"), 0U);  // nothing of it is on the host
    ASSERT_EQ(::setns(lan.get(), CLONE_NEWNET), 0);
    const auto at_b = listener("vif2.0");
    ASSERT_EQ(::setns(own.get(), CLONE_NEWNET), 0);
    auto guest = connected("a", in_segment("lan"));
    const auto mac = interface_mac(guest, 0);
    domains_.monitor("a").execute("announce-self", {{"initial", 10}, {"max", 10}, {"rounds", 3}, {"step", 10}});
    bool heard = false;
    for (const auto& frame : frames(at_b, 1500)) {
        const auto sender = frame.substr(6, 6);
        std::string text;
        for (const char c : sender) text += fmt::format("{}{:02x}", text.empty() ? "" : ":", c & 0xff);
        heard = heard || text == mac;
    }
    EXPECT_TRUE(heard);
}

TEST_F(DomainNetworkTest, ASegmentOutlivesWhoMadeItAndSupervisors) {
    create(connected("a", in_segment("lan")));
    create(connected("b", in_segment("lan")));
    const auto lan = inode(network_of("b", "lan"));
    domains_.destroy("a");
    const auto supervisor = open_process(domains_.state().read("b")->supervisor);
    send_signal(supervisor, SIGKILL);
    ASSERT_TRUE(wait_for_end(supervisor, 10s));
    create(connected("c", in_segment("lan")));
    EXPECT_EQ(inode(network_of("c", "lan")), lan);
    const auto console = domains_.open_console("c", Domains::ConsoleMode::write);
    read_until(console, "tiny login: ");
    type(console, "r");
    read_until(console, "tiny login: ");
    EXPECT_EQ(inode(network_of("c", "lan")), lan);
}

// A frame as a guest's card hands it to its tap: virtio's header, and padded to the smallest of Ethernet.
std::string frame_from(std::string_view mac, std::uint16_t type, std::string_view payload) {
    std::string frame(10, '\0');
    frame += std::string(6, '\xff');
    frame += mac;
    frame += static_cast<char>(type >> 8);
    frame += static_cast<char>(type & 0xff);
    frame += payload;
    frame.resize(std::max<std::size_t>(frame.size(), 70));
    return frame;
}

// A header with its checksum (RFC 791), of a packet that fills the frame: where bridges hand packets to iptables, one
// with a wrong sum is dropped and padding is cut off.
std::string ipv4_from(std::string_view address) {
    auto packet = std::string("\x45\0\0\x2e\0\0\0\0\x40\x11\0\0", 12) + std::string(address) + std::string(4, '\xff');
    unsigned sum = 0;
    for (std::size_t i = 0; i < packet.size(); i += 2) sum += (packet[i] & 0xffU) << 8 | (packet[i + 1] & 0xffU);
    sum = ~((sum & 0xffff) + (sum >> 16));
    packet[10] = static_cast<char>(sum >> 8);
    packet[11] = static_cast<char>(sum);
    return packet;
}

class InterfaceLimitsTest : public DomainNetworkTest {
  protected:
    void SetUp() override {
        DomainNetworkTest::SetUp();
        if (!IsSkipped() && !bridge_)
            make_bridge("vprovbr0");
    }
    std::size_t passed(const os::Fd& tap, const std::string& frame, std::size_t times = 1) const {
        const auto on_bridge = listener("vprovbr0");
        for (std::size_t i = 0; i < times; ++i)
            EXPECT_EQ(::write(tap.get(), frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
        std::size_t count = 0;
        for (const auto& seen : frames(on_bridge, 100)) count += seen == frame.substr(10);
        return count;
    }
    const fs::path directory_ = work_.path() / "limits";
    static constexpr std::string_view kMac = "\x02\x11\x22\x33\x44\x55", kOther = "\x02\x11\x22\x33\x44\x56";
    static constexpr const char* kMacText = "02:11:22:33:44:55";
};

TEST_F(InterfaceLimitsTest, NobodyElsesAddressComesFromAGuest) {
    if (!os::program_exists("nft"))
        GTEST_SKIP() << "nft is not installed (Debian: nftables)";
    const auto own = ipv4_from("\x0a\x01\x01\x05"), foreign = ipv4_from("\x0a\x01\x01\x06");
    GuestInterface vif{"", "vprovbr0", "", {}};
    vif.ip = "10.1.1.5";
    {
        const auto side = connect_interface(vif, "vif1.0");
        ASSERT_TRUE(side.tap.is_open());
        EXPECT_EQ(passed(side.tap, frame_from(kMac, ETH_P_IP, foreign)), 1U);
        EXPECT_EQ(limit_interface(vif, kMacText, "vif1.0", directory_), std::vector<std::string>());
        EXPECT_EQ(passed(side.tap, frame_from(kMac, ETH_P_IP, own)), 1U);
        EXPECT_EQ(passed(side.tap, frame_from(kMac, ETH_P_IP, ipv4_from(std::string_view("\0\0\0\0", 4)))), 1U);
        EXPECT_EQ(passed(side.tap, frame_from(kMac, ETH_P_IP, foreign)), 0U);
        EXPECT_EQ(passed(side.tap, frame_from(kOther, ETH_P_IP, own)), 0U);
        const std::string arp("\0\x01\x08\0\x06\x04\0\x02", 8);
        const auto says = [&](std::string_view mac, std::string_view ip) {
            return frame_from(kMac, ETH_P_ARP, arp + std::string(mac) + std::string(ip) + std::string(10, '\0'));
        };
        EXPECT_EQ(passed(side.tap, says(kMac, "\x0a\x01\x01\x05")), 1U);
        EXPECT_EQ(passed(side.tap, says(kMac, "\x0a\x01\x01\x06")), 0U);
        EXPECT_EQ(passed(side.tap, says(kOther, "\x0a\x01\x01\x05")), 0U);
        remove_stale_limits(directory_);
        EXPECT_EQ(passed(side.tap, frame_from(kMac, ETH_P_IP, foreign)), 0U);  // it is not stale
    }
    remove_stale_limits(directory_);
    EXPECT_TRUE(fs::is_empty(directory_));
    EXPECT_EQ(run({"nft", "list", "tables"}).output, "");
}

TEST_F(InterfaceLimitsTest, ARateBothWays) {
    GuestInterface vif{"", "vprovbr0", "", {}};
    vif.rate = "80Kb/s";
    const auto side = connect_interface(vif, "vif1.0");
    ASSERT_TRUE(side.tap.is_open());
    const auto warnings = limit_interface(vif, kMacText, "vif1.0", directory_);
    EXPECT_NE(run({"tc", "qdisc", "show", "dev", "vif1.0"}).output.find("tbf"), std::string::npos);
    if (!os::program_exists("nft")) {
        EXPECT_EQ(warnings, std::vector<std::string>{"what the guest sends on vif1.0 is not checked against its ip and "
                                                     "rate: nft is not installed (apt install nftables)"});
        return;
    }
    EXPECT_EQ(warnings, std::vector<std::string>());
    constexpr std::uint16_t kExperimental = 0x88b5;  // IEEE Std 802, for local use
    const auto count = passed(side.tap, frame_from(kMac, kExperimental, std::string(1400, 'x')), 500);
    EXPECT_GT(count, 30U);  // 64 KiB at once
    EXPECT_LT(count, 100U);
}

TEST_F(InterfaceLimitsTest, GoneWithTheDomainWhateverEndsIt) {
    if (!os::program_exists("nft"))
        GTEST_SKIP() << "nft is not installed (Debian: nftables)";
    auto guest = connected("tiny", {"", "vprovbr0", "", {}});
    guest.interfaces[0].ip = "10.1.1.5";
    EXPECT_EQ(create(guest).warnings, std::vector<std::string>());
    EXPECT_NE(run({"nft", "list", "tables"}).output.find("vprov-vif1.0"), std::string::npos);
    domains_.destroy("tiny");
    EXPECT_EQ(run({"nft", "list", "tables"}).output, "");
    create(guest);
    const auto record = domains_.state().read("tiny");
    for (const auto& process : {record->supervisor, record->qemu}) {
        const auto pidfd = open_process(process);
        send_signal(pidfd, SIGKILL);
        ASSERT_TRUE(wait_for_end(pidfd, 10s));
    }
    EXPECT_EQ(domains_.list().size(), 0U);
    EXPECT_EQ(run({"nft", "list", "tables"}).output, "");
}

TEST_F(DomainNetworkTest, NothingBeginsWithoutTheMemoryOrWithoutQemu) {
    auto guest = tiny("tiny");
    guest.memory_mib = 64ULL << 20;
    const auto why = error_of_creating(guest);
    EXPECT_TRUE(why.starts_with("cannot start 'tiny': it is to have 67108864 MiB of memory, and ")) << why;
    EXPECT_TRUE(why.ends_with(" MiB are free")) << why;
    const std::string path = ::getenv("PATH");
    ::setenv("PATH", "/nowhere", 1);
    const auto missing = error_of_creating(tiny("tiny"));
    ::setenv("PATH", path.c_str(), 1);
    EXPECT_EQ(missing, "cannot start 'tiny': QEMU is not installed (apt install qemu-system-x86)");
    EXPECT_TRUE(domains_.state().names().empty());
}

}  // namespace
}  // namespace vprov::hypervisor
