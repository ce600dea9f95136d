#include "config-render/network.h"

#include <gtest/gtest.h>

#include "render/sample_plan.h"

namespace vprov::render {
namespace {

const PackageNames kIfupdown = {"ifupdown", "systemd", "isc-dhcp-client", "apt"};
const PackageNames kNetworkd = {"systemd", "apt"};

constexpr const char* kInterfacesHeader =
    "# This file describes the network interfaces available on your system\n"
    "# and how to activate them. For more information, see interfaces(5).\n"
    "\n"
    "source /etc/network/interfaces.d/*\n"
    "\n"
    "# The loopback network interface\n"
    "auto lo\n"
    "iface lo inet loopback\n";

TEST(Ifupdown, DhcpAndStaticInterfaces) {
    auto plan = sample_plan();
    plan.interfaces.push_back(static_interface("lan1"));
    EXPECT_EQ(network_files(plan, kIfupdown),
              (std::vector<GuestFile>{
                  {"/etc/network/interfaces", std::string(kInterfacesHeader) +
                                                  "\n"
                                                  "# aa:00:00:12:23:34, named by /etc/systemd/network/10-lan0.link\n"
                                                  "allow-hotplug lan0\n"
                                                  "iface lan0 inet dhcp\n"
                                                  "\n"
                                                  "# 00:16:3e:00:00:01, named by /etc/systemd/network/10-lan1.link\n"
                                                  "allow-hotplug lan1\n"
                                                  "iface lan1 inet static\n"
                                                  "\taddress 192.0.2.10/24\n"
                                                  "\tgateway 192.0.2.1\n"
                                                  "iface lan1 inet static\n"
                                                  "\taddress 192.0.2.11/24\n"
                                                  "iface lan1 inet6 static\n"
                                                  "\taddress 2001:db8::10/64\n"}}));
}

TEST(Ifupdown, GatewayStandsWithItsFamily) {
    auto plan = sample_plan();
    plan.interfaces = {static_interface()};
    plan.interfaces[0].gateway = {"2001:db8::1"};
    const auto text = network_files(plan, kIfupdown).at(0).content;
    EXPECT_TRUE(
        text.ends_with("iface lan0 inet6 static\n\taddress 2001:db8::10/64\n\tgateway 2001:db8::1\n\taccept_ra 0\n"))
        << text;
    EXPECT_EQ(text.find("gateway"), text.rfind("gateway"));
}

TEST(Ifupdown, NoInterfaceLeavesLoopback) {
    auto plan = sample_plan();
    plan.interfaces.clear();
    EXPECT_EQ(network_files(plan, kIfupdown).at(0).content, kInterfacesHeader);
}

TEST(Networkd, DhcpIsEnabledAsSystemctlDoes) {
    const auto files = network_files(sample_plan(), kNetworkd);
    EXPECT_EQ(file_at(files, "/etc/systemd/network/10-lan0.network").content,
              "[Match]\n"
              "MACAddress=aa:00:00:12:23:34\n"
              "Type=ether\n"
              "\n"
              "[Network]\n"
              "DHCP=yes\n"
              "Domains=example.org\n");
    std::vector<std::string> links;
    for (const auto& file : files)
        if (file.is_link)
            links.push_back(file.path + " -> " + file.content);
    EXPECT_EQ(
        links,
        (std::vector<std::string>{
            "/etc/systemd/system/dbus-org.freedesktop.network1.service -> /lib/systemd/system/systemd-networkd.service",
            "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service -> "
            "/lib/systemd/system/systemd-networkd.service",
            "/etc/systemd/system/sockets.target.wants/systemd-networkd.socket -> "
            "/lib/systemd/system/systemd-networkd.socket",
            "/etc/systemd/system/sysinit.target.wants/systemd-network-generator.service -> "
            "/lib/systemd/system/systemd-network-generator.service",
            "/etc/systemd/system/network-online.target.wants/systemd-networkd-wait-online.service -> "
            "/lib/systemd/system/systemd-networkd-wait-online.service"}));
}

TEST(Networkd, StaticAddressesAndServers) {
    auto plan = sample_plan();
    plan.interfaces = {static_interface()};
    EXPECT_EQ(network_files(plan, kNetworkd).at(0).content,
              "[Match]\n"
              "MACAddress=00:16:3e:00:00:01\n"
              "Type=ether\n"
              "\n"
              "[Network]\n"
              "Address=192.0.2.10/24\n"
              "Address=192.0.2.11/24\n"
              "Address=2001:db8::10/64\n"
              "DNS=192.0.2.53\n"
              "DNS=2001:db8::53\n"
              "Domains=example.org\n"
              "\n"
              "[Route]\n"
              "Gateway=192.0.2.1\n"
              "GatewayOnLink=yes\n"
              "\n"
              "[IPv6AcceptRA]\n"
              "UseAutonomousPrefix=no\n");
    plan.interfaces[0].address = {"dhcp"};
    EXPECT_TRUE(
        network_files(plan, kNetworkd).at(0).content.ends_with("\n[DHCPv4]\nUseDNS=no\n\n[DHCPv6]\nUseDNS=no\n"));
}

TEST(Network, NothingWithoutSystemdOrIfupdown) {
    EXPECT_TRUE(network_files(sample_plan(), {"apt"}).empty());
}

TEST(ExpectedPackages, FollowVariantIncludeAndExclude) {
    auto plan = sample_plan();
    EXPECT_EQ(expected_packages(plan), (PackageNames{"apt", "ifupdown", "isc-dhcp-client", "systemd", "udev"}));
    plan.recipe.system.exclude = {"ifupdown"};
    EXPECT_FALSE(expected_packages(plan).contains("ifupdown"));
    plan.recipe.system.variant = recipe::Variant::minbase;
    plan.include = {"init"};
    EXPECT_EQ(expected_packages(plan), (PackageNames{"apt", "init", "systemd"}));
    plan.recipe.system.variant = recipe::Variant::essential;
    EXPECT_EQ(expected_packages(plan), (PackageNames{"init", "systemd"}));
}

constexpr const char* kHostsTail =
    "\n"
    "# The following lines are desirable for IPv6 capable hosts\n"
    "::1     localhost ip6-localhost ip6-loopback\n"
    "ff02::1 ip6-allnodes\n"
    "ff02::2 ip6-allrouters\n";

TEST(Hosts, NameIsLoopbackWithDhcpAndTheStaticAddressOtherwise) {
    auto plan = sample_plan();
    EXPECT_EQ(hosts(plan), std::string("127.0.0.1\tlocalhost\n127.0.1.1\tdebian1.example.org\tdebian1\n") + kHostsTail);
    plan.fqdn = plan.hostname;
    plan.interfaces.push_back(static_interface());
    EXPECT_EQ(hosts(plan),
              std::string("127.0.0.1\tlocalhost\n192.0.2.10\tdebian1\n2001:db8::10\tdebian1\n") + kHostsTail);
}

TEST(Resolver, DhcpClientOwnsTheFileUnlessTheRecipeNamesServers) {
    auto plan = sample_plan();
    EXPECT_EQ(
        resolver_files(plan, kIfupdown),
        (std::vector<GuestFile>{
            {"/etc/resolv.conf", "# Replaced with what DHCP says when the network comes up.\nsearch example.org\n"}}));
    plan.interfaces[0].dns = {"192.0.2.53"};
    EXPECT_EQ(resolver_files(plan, kIfupdown),
              (std::vector<GuestFile>{
                  {"/etc/resolv.conf", "search example.org\nnameserver 192.0.2.53\n"},
                  {"/etc/dhcp/dhclient-enter-hooks.d/keep-resolv-conf",
                   "# The name servers in /etc/resolv.conf stay as they are.\nmake_resolv_conf() {\n    :\n}\n"}}));
    EXPECT_EQ(
        resolver_files(plan, {"ifupdown", "dhcpcd-base"}).at(1),
        (GuestFile{
            "/etc/dhcpcd.enter-hook",
            "# The name servers in /etc/resolv.conf stay as they are.\nskip_hooks=\"$skip_hooks resolv.conf\"\n"}));
}

TEST(Resolver, StaticServersOnceEachAndResolvedWhereItIs) {
    auto plan = sample_plan();
    plan.recipe.identity.domain.reset();
    plan.interfaces = {static_interface(), static_interface()};
    EXPECT_EQ(resolver_files(plan, kIfupdown),
              (std::vector<GuestFile>{{"/etc/resolv.conf", "nameserver 192.0.2.53\nnameserver 2001:db8::53\n"}}));
    const auto link = resolver_files(plan, {"systemd", "systemd-resolved"}).at(0);
    EXPECT_TRUE(link.is_link);
    EXPECT_EQ(link.content, "../run/systemd/resolve/stub-resolv.conf");
    plan.interfaces.clear();
    EXPECT_EQ(resolver_files(plan, kIfupdown).at(0).content, "# No name server is configured.\n");
}

}  // namespace
}  // namespace vprov::render
