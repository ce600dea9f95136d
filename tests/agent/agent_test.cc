#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "config-render/agent_files.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov {
namespace {
namespace fs = std::filesystem;

constexpr const char* kLink = "/etc/systemd/network/10-lan0.link";
constexpr const char* kLinkText = "[Match]\nMACAddress=00:16:3e:00:00:01\nType=ether\n\n[Link]\nName=lan0\n";
constexpr const char* kOldCard = "card.0=00:16:3e:00:00:01,31";
constexpr const char* kNewCard = "card.0=00:16:3e:00:00:01,00:16:3e:00:00:02";

class AgentTest : public testing::Test {
  protected:
    AgentTest() : work_(fs::temp_directory_path(), "vprov-agent-") {
        os::write_file(work_.path() / "agent", render::agent_program(), 0755);
        for (const auto* directory : {"etc/systemd/network", "etc/ssh", "etc/network/interfaces.d", "etc/netplan"})
            fs::create_directories(root() / directory);
        terminal_ = os::Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
        ::grantpt(terminal_.get());
        ::unlockpt(terminal_.get());
        const std::string port = ::ptsname(terminal_.get());
        port_ = os::open_file(port, O_RDWR | O_NOCTTY);  // so that it has an end before the agent opens it
        const std::string command = "stty raw -echo < " + port;
        EXPECT_EQ(std::system(command.c_str()), 0);
        agent_ = ::fork();
        if (agent_ == 0) {
            const auto program = work_.path() / "agent";
            ::execl(program.c_str(), program.c_str(), port.c_str(), root().c_str(), nullptr);
            ::_exit(127);
        }
    }
    ~AgentTest() override {
        ::kill(agent_, SIGKILL);
        ::waitpid(agent_, nullptr, 0);
    }

    fs::path root() const { return work_.path() / "root"; }
    void put(const std::string& path, const std::string& text) const { os::write_file(root() / path.substr(1), text); }
    std::string get(const std::string& path) const { return os::read_file(root() / path.substr(1)); }

    std::string ask(const std::string& request) {
        os::write_all(terminal_.get(), request + "\n", "a request");
        std::string line;
        for (char c = 0; ::read(terminal_.get(), &c, 1) == 1 && c != '\n';) line += c;
        return line;
    }

    os::TempDir work_;
    os::Fd terminal_, port_;
    pid_t agent_ = 0;
};

TEST_F(AgentTest, SaysWhatItIs) {
    put("/etc/ssh/ssh_host_rsa_key", "");
    put("/etc/ssh/ssh_host_ed25519_key", "");
    const auto said = ask("17 identify");
    EXPECT_EQ(said.find("17 ok version=1 hostname="), 0U) << said;
    EXPECT_NE(said.find(" host-keys=rsa,ed25519"), std::string::npos) << said;
}

TEST_F(AgentTest, RefusesWhatItDoesNotKnow) {
    EXPECT_EQ(ask("1 make-coffee"), "1 error make-coffee%20is%20not%20known");
    EXPECT_EQ(ask("\nnonsense\n2 set-identity hostname=%4\n3 set-identity hostname\n4 wait-card"),
              "4 error cannot%20wait%20for%20a%20card:%20which%20one%20is%20not%20said");
}

TEST_F(AgentTest, ReplacesNamesAsWords) {
    put("/etc/hostname", "web\n");
    put("/etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\tweb.example.org web\n10.0.0.1 web2 my-web webmail\n");
    EXPECT_EQ(ask("1 set-identity hostname=db7"), "1 ok");
    EXPECT_EQ(get("/etc/hostname"), "db7\n");
    EXPECT_EQ(get("/etc/hosts"),
              "127.0.0.1\tlocalhost\n127.0.1.1\tdb7.example.org db7\n10.0.0.1 web2 my-web webmail\n");
}

TEST_F(AgentTest, LeavesLocalhostItsName) {
    put("/etc/hostname", "localhost\n");
    put("/etc/hosts", "127.0.0.1\tlocalhost\n");
    EXPECT_EQ(ask("1 set-identity hostname=db7"), "1 ok");
    EXPECT_EQ(get("/etc/hostname"), "db7\n");
    EXPECT_EQ(get("/etc/hosts"), "127.0.0.1\tlocalhost\n");
}

TEST_F(AgentTest, WritesIdentityWithItsModes) {
    put("/etc/machine-id", "0123\n");
    EXPECT_EQ(ask("1 set-identity machine-id=89ab key.rsa=SECRET%0A key.rsa.pub=ssh-rsa%20AAAA%0A"), "1 ok");
    EXPECT_EQ(get("/etc/machine-id"), "89ab\n");
    EXPECT_EQ(get("/etc/ssh/ssh_host_rsa_key"), "SECRET\n");
    EXPECT_EQ(get("/etc/ssh/ssh_host_rsa_key.pub"), "ssh-rsa AAAA\n");
    EXPECT_EQ(fs::status(root() / "etc/ssh/ssh_host_rsa_key").permissions(), fs::perms(0600));
    EXPECT_EQ(fs::status(root() / "etc/ssh/ssh_host_rsa_key.pub").permissions(), fs::perms(0644));
}

TEST_F(AgentTest, RemovesWhatOneMachineMayHave) {
    fs::create_directories(root() / "var/lib/dhcp");
    fs::create_directories(root() / "var/lib/systemd");
    for (const auto* file : {"/var/lib/dhcp/dhclient.lan0.leases", "/var/lib/systemd/random-seed",
                             "/etc/ssh/ssh_host_rsa_key", "/etc/ssh/ssh_host_rsa_key.pub"}) {
        put(file, "x");
        EXPECT_TRUE(fs::exists(root() / std::string(file).substr(1)));
    }
    put("/etc/ssh/sshd_config", "x");
    EXPECT_EQ(ask("1 prepare-template"), "1 ok");
    EXPECT_TRUE(fs::is_empty(root() / "var/lib/dhcp"));
    EXPECT_TRUE(fs::is_empty(root() / "var/lib/systemd"));
    EXPECT_FALSE(fs::exists(root() / "etc/ssh/ssh_host_rsa_key"));
    EXPECT_TRUE(fs::exists(root() / "etc/ssh/sshd_config"));
}

TEST_F(AgentTest, KnowsCardsByPlaceAndThenByTheirAddress) {
    put(kLink, kLinkText);
    put("/etc/netplan/50.yaml", "  match: {macaddress: \"00:16:3E:00:00:01\"}\n");
    EXPECT_EQ(ask(std::string("1 prepare-template ") + kOldCard), "1 ok");
    EXPECT_EQ(get(kLink), "[Match]\nPath=pci-0000:00:1f.0 virtio-pci-0000:00:1f.0\nType=ether\n\n[Link]\nName=lan0\n");
    EXPECT_EQ(ask(std::string("2 set-identity ") + kNewCard), "2 ok");
    EXPECT_EQ(get("/etc/netplan/50.yaml"), "  match: {macaddress: \"00:16:3e:00:00:02\"}\n");
    EXPECT_EQ(ask("3 settle"), "3 ok");
    EXPECT_EQ(ask("4 sync"), "4 ok");  // settling comes after its answer
    EXPECT_EQ(get(kLink), "[Match]\nMACAddress=00:16:3e:00:00:02\nType=ether\n\n[Link]\nName=lan0\n");
}

TEST_F(AgentTest, SetsAnAddressInIfupdownsWords) {
    put(kLink, kLinkText);
    put("/etc/hosts", "10.0.0.5\tweb\n110.0.0.5 a\n10.0.0.50 b\n");
    put("/etc/network/interfaces",
        "auto lo\niface lo inet loopback\n\nallow-hotplug lan0\niface lan0 inet static\n\taddress 10.0.0.5/24\n"
        "\tgateway 10.0.0.1\n\tmtu 1400\niface lan0 inet6 auto\n");
    EXPECT_EQ(ask(std::string("1 prepare-template ") + kOldCard), "1 ok");
    EXPECT_EQ(ask(std::string("2 set-identity ") + kNewCard), "2 ok");
    EXPECT_EQ(ask("3 set-address mac=00:16:3e:00:00:02 address=10.0.0.9/16 gateway=10.0.0.254"), "3 ok");
    EXPECT_EQ(get("/etc/network/interfaces"),
              "auto lo\niface lo inet loopback\n\nallow-hotplug lan0\niface lan0 inet static\n\taddress 10.0.0.9/16\n"
              "\tgateway 10.0.0.254\n\tmtu 1400\niface lan0 inet6 auto\n");
    EXPECT_EQ(get("/etc/hosts"), "10.0.0.9\tweb\n110.0.0.5 a\n10.0.0.50 b\n");
}

TEST_F(AgentTest, SetsAnAddressInNetworkdsWords) {
    put(kLink, kLinkText);
    const std::string file = "/etc/systemd/network/20-lan0.network";
    const std::string other = "/etc/systemd/network/30-lan1.network";
    const std::string of_other = "[Match]\nName=lan1\n\n[Network]\nDHCP=ipv4\n";
    put(file, "[Match]\nName=lan0\n\n[Network]\nDHCP=ipv4\nDNS=192.0.2.53\n");
    put(other, of_other);
    EXPECT_EQ(ask(std::string("1 prepare-template ") + kOldCard), "1 ok");
    EXPECT_EQ(ask(std::string("2 set-identity ") + kNewCard), "2 ok");
    EXPECT_EQ(ask("3 set-address mac=00:16:3e:00:00:02 address=10.0.0.9/16 gateway=10.0.0.254"), "3 ok");
    EXPECT_EQ(get(file), "[Match]\nName=lan0\n\n[Network]\nAddress=10.0.0.9/16\nGateway=10.0.0.254\nDNS=192.0.2.53\n");
    EXPECT_EQ(get(other), of_other);
}

TEST_F(AgentTest, SetsAnAddressInNetplansWords) {
    put(kLink, kLinkText);
    const std::string file = "/etc/netplan/01.yaml", made = "/run/systemd/network/10-netplan-lan0.network";
    const std::string begin = "network:\n  version: 2\n  ethernets:\n    lan0:\n",
                      end = "    lan1:\n      dhcp4: true\n";
    const auto match_of = [](const std::string& mac) {
        return "      match:\n        macaddress: \"" + mac + "\"\n      set-name: lan0\n";
    };
    const std::string name_servers = "      nameservers:\n        addresses:\n          - \"192.0.2.53\"\n";
    fs::create_directories(root() / "run/systemd/network");
    put("/etc/hosts", "10.0.0.5\tweb\n");
    put(file, begin + match_of("00:16:3e:00:00:01") +
                  "      addresses:\n      - \"10.0.0.5/24\"\n      routes:\n        - to: \"0.0.0.0/0\"\n"
                  "          via: \"10.0.0.1\"\n" +
                  name_servers + end);
    put(made,
        "[Match]\nPermanentMACAddress=00:16:3e:00:00:01\n\n[Network]\nAddress=10.0.0.5/24\n\n[Route]\n"
        "Destination=0.0.0.0/0\nGateway=10.0.0.1\n");
    EXPECT_EQ(ask(std::string("1 prepare-template ") + kOldCard), "1 ok");
    EXPECT_EQ(ask(std::string("2 set-identity ") + kNewCard), "2 ok");
    EXPECT_EQ(ask("3 set-address mac=00:16:3e:00:00:02 address=10.0.0.9/16 gateway=10.0.0.254"), "3 ok");
    EXPECT_EQ(get(file), begin +
                             "      addresses:\n        - \"10.0.0.9/16\"\n      routes:\n        - to: \"0.0.0.0/0\"\n"
                             "          via: \"10.0.0.254\"\n          on-link: true\n" +
                             match_of("00:16:3e:00:00:02") + name_servers + end);
    EXPECT_EQ(get(made),
              "[Match]\nPath=pci-0000:00:1f.0 virtio-pci-0000:00:1f.0\n\n[Network]\nAddress=10.0.0.9/16\n"
              "Gateway=10.0.0.254\n\n");
    EXPECT_EQ(get("/etc/hosts"), "10.0.0.9\tweb\n");
}

TEST_F(AgentTest, RefusesAnAddressThatNothingWouldSet) {
    put(kLink, kLinkText);
    put("/etc/netplan/50.yaml", "network:\n");
    EXPECT_EQ(ask(std::string("1 prepare-template ") + kOldCard), "1 ok");
    EXPECT_EQ(ask(std::string("2 set-identity ") + kNewCard), "2 ok");
    EXPECT_NE(ask("3 set-address mac=00:16:3e:00:00:02 address=10.0.0.9/16").find("3 error cannot%20set"),
              std::string::npos);
    EXPECT_NE(ask("4 set-address mac=00:16:3e:00:00:09 address=10.0.0.9/16").find("4 error"), std::string::npos);
}

}  // namespace
}  // namespace vprov
