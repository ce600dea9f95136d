#include "config-render/renderers.h"

#include <gtest/gtest.h>

#include "config-render/network.h"
#include "render/sample_plan.h"

namespace vprov::render {
namespace {
using recipe::NetworkRenderer;

// Every kind of address, a VLAN, one gateway a family, MTU, name servers.
plan::Plan everything() {
    auto plan = sample_plan();
    auto first = static_interface("wan");
    first.gateway = {"192.0.2.1", "2001:db8::1"};
    first.search = {"example.org", "example.net"};
    first.mtu = 1400;
    plan::Interface trunk{"00:16:3e:00:00:02", "", {"none"}, {}, {}, "lan0"};
    plan::Interface automatic{"00:16:3e:00:00:03", "", {"dhcp4", "slaac"}, {}, {"192.0.2.53"}, "lan1"};
    auto vlan = vlan_interface();
    vlan.mtu = 1300;
    plan::Interface dhcp{"00:16:3e:00:00:02", "", {"dhcp4", "dhcp6"}, {}, {}, "lan0.11"};
    dhcp.vlan = 11;
    dhcp.parent = "lan0";
    dhcp.mtu = 1300;
    plan.interfaces = {first, trunk, automatic, vlan, dhcp};
    return plan;
}

std::string section_from(const std::string& text, std::string_view start) {
    const auto at = text.find(start);
    return at == std::string::npos ? "(not there) " + text : text.substr(at);
}

TEST(Ifupdown, SaysEverything) {
    EXPECT_EQ(section_from(ifupdown_file(everything()).content, "# 00:16:3e:00:00:01"),
              "# 00:16:3e:00:00:01, named by /etc/systemd/network/10-wan.link\n"
              "allow-hotplug wan\n"
              "iface wan inet static\n"
              "\taddress 192.0.2.10/24\n"
              "\tgateway 192.0.2.1\n"
              "\tmtu 1400\n"
              "iface wan inet static\n"
              "\taddress 192.0.2.11/24\n"
              "iface wan inet6 static\n"
              "\taddress 2001:db8::10/64\n"
              "\tgateway 2001:db8::1\n"
              "\taccept_ra 0\n"
              "\n"
              "# 00:16:3e:00:00:02, named by /etc/systemd/network/10-lan0.link\n"
              "allow-hotplug lan0\n"
              "iface lan0 inet manual\n"
              "\n"
              "# 00:16:3e:00:00:03, named by /etc/systemd/network/10-lan1.link\n"
              "allow-hotplug lan1\n"
              "iface lan1 inet dhcp\n"
              "iface lan1 inet6 auto\n"
              "\n"
              "# VLAN 10 on lan0\n"
              "allow-hotplug lan0.10\n"
              "iface lan0.10 inet static\n"
              "\taddress 198.51.100.5/24\n"
              "\tmtu 1300\n"
              "iface lan0.10 inet6 static\n"
              "\taddress 2001:db8:a::5/64\n"
              "\tgateway 2001:db8:a::1\n"
              "\taccept_ra 0\n"
              "\n"
              "# VLAN 11 on lan0\n"
              "allow-hotplug lan0.11\n"
              "iface lan0.11 inet dhcp\n"
              "\tpre-up ip link set dev $IFACE mtu 1300\n"
              "iface lan0.11 inet6 dhcp\n");
}

TEST(Networkd, SaysEverything) {
    const auto files = networkd_files(everything());
    const auto content = [&](const char* name) {
        return file_at(files, std::string("/etc/systemd/network/10-") + name).content;
    };
    EXPECT_EQ(content("wan.network"),
              "[Match]\nMACAddress=00:16:3e:00:00:01\nType=ether\n\n[Link]\nMTUBytes=1400\n\n[Network]\n"
              "IPv6AcceptRA=no\nAddress=192.0.2.10/24\nAddress=192.0.2.11/24\nAddress=2001:db8::10/64\n"
              "DNS=192.0.2.53\nDNS=2001:db8::53\nDomains=example.org example.net\n"
              "\n[Route]\nGateway=192.0.2.1\nGatewayOnLink=yes\n\n[Route]\nGateway=2001:db8::1\nGatewayOnLink=yes\n");
    EXPECT_EQ(content("lan0.network"),
              "[Match]\nMACAddress=00:16:3e:00:00:02\nType=ether\n\n[Link]\nRequiredForOnline=no\n\n[Network]\n"
              "IPv6AcceptRA=no\nLinkLocalAddressing=no\nVLAN=lan0.10\nVLAN=lan0.11\n");
    EXPECT_EQ(content("lan1.network"),
              "[Match]\nMACAddress=00:16:3e:00:00:03\nType=ether\n\n[Network]\n"
              "DHCP=ipv4\nIPv6AcceptRA=yes\nDNS=192.0.2.53\nDomains=example.org\n"
              "\n[DHCPv4]\nUseDNS=no\n\n[DHCPv6]\nUseDNS=no\n");
    EXPECT_EQ(content("lan0.10.netdev"), "[NetDev]\nName=lan0.10\nKind=vlan\n\n[VLAN]\nId=10\n");
    EXPECT_EQ(content("lan0.10.network"),
              "[Match]\nName=lan0.10\n\n[Link]\nMTUBytes=1300\n\n[Network]\nIPv6AcceptRA=no\n"
              "Address=198.51.100.5/24\nAddress=2001:db8:a::5/64\nDomains=example.org\n"
              "\n[Route]\nGateway=2001:db8:a::1\nGatewayOnLink=yes\n");
    EXPECT_EQ(content("lan0.11.network"),
              "[Match]\nName=lan0.11\n\n[Link]\nMTUBytes=1300\n\n[Network]\nDHCP=yes\nDomains=example.org\n");
}

TEST(Netplan, SaysEverything) {
    const auto file = netplan_file(everything());
    EXPECT_EQ(file.path, "/etc/netplan/01-vprov.yaml");
    EXPECT_EQ(file.mode, 0600U);
    EXPECT_EQ(file.content, R"(# The network of this system. See netplan(5).
network:
  version: 2
  renderer: networkd
  ethernets:
    wan:
      match:
        macaddress: "00:16:3e:00:00:01"
      set-name: wan
      accept-ra: false
      addresses:
        - "192.0.2.10/24"
        - "192.0.2.11/24"
        - "2001:db8::10/64"
      routes:
        - to: "0.0.0.0/0"
          via: "192.0.2.1"
          on-link: true
        - to: "::/0"
          via: "2001:db8::1"
          on-link: true
      nameservers:
        addresses:
          - "192.0.2.53"
          - "2001:db8::53"
        search:
          - "example.org"
          - "example.net"
      mtu: 1400
    lan0:
      match:
        macaddress: "00:16:3e:00:00:02"
      set-name: lan0
      link-local: []
      optional: true
      accept-ra: false
    lan1:
      match:
        macaddress: "00:16:3e:00:00:03"
      set-name: lan1
      dhcp4: true
      accept-ra: true
      nameservers:
        addresses:
          - "192.0.2.53"
        search:
          - "example.org"
      dhcp4-overrides:
        use-dns: false
  vlans:
    lan0.10:
      id: 10
      link: lan0
      accept-ra: false
      addresses:
        - "198.51.100.5/24"
        - "2001:db8:a::5/64"
      routes:
        - to: "::/0"
          via: "2001:db8:a::1"
          on-link: true
      nameservers:
        search:
          - "example.org"
      mtu: 1300
    lan0.11:
      id: 11
      link: lan0
      dhcp4: true
      dhcp6: true
      nameservers:
        search:
          - "example.org"
      mtu: 1300
)");
}

TEST(Renderer, IsTheRecipesOrThatOfThePackages) {
    auto plan = sample_plan();
    EXPECT_EQ(renderer_of(plan, {"ifupdown", "systemd", "netplan.io"}), NetworkRenderer::netplan);
    EXPECT_EQ(renderer_of(plan, {"ifupdown", "systemd"}), NetworkRenderer::ifupdown);
    EXPECT_EQ(renderer_of(plan, {"systemd"}), NetworkRenderer::networkd);
    EXPECT_EQ(renderer_of(plan, {}), NetworkRenderer::none);
    plan.recipe.identity.network_renderer = NetworkRenderer::networkd;
    EXPECT_EQ(renderer_of(plan, {"ifupdown", "systemd"}), NetworkRenderer::networkd);
    plan.recipe.identity.network_renderer = NetworkRenderer::none;
    EXPECT_TRUE(network_files(plan, {"ifupdown", "systemd"}).empty());
}

TEST(Renderer, VlansHaveNoLinkFile) {
    auto plan = sample_plan();
    plan.interfaces.push_back(vlan_interface());
    EXPECT_EQ(link_files(plan).size(), 1U);
}

TEST(Resolver, UbuntusSystemdBringsItUntilItIsAPackage) {
    auto plan = sample_plan();
    plan.recipe.system.distribution = "ubuntu";
    plan.recipe.system.suite = "jammy";
    EXPECT_TRUE(resolver_files(plan, {"netplan.io", "systemd"}).at(0).is_link);
    plan.recipe.system.suite = "noble";
    EXPECT_FALSE(resolver_files(plan, {"netplan.io", "systemd"}).at(0).is_link);
    EXPECT_TRUE(resolver_files(plan, {"netplan.io", "systemd", "systemd-resolved"}).at(0).is_link);
}

}  // namespace
}  // namespace vprov::render
