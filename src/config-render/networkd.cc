#include <algorithm>
#include <utility>

#include "base/text.h"
#include "config-render/addresses.h"
#include "config-render/renderers.h"
#include "config-render/templates.h"

namespace vprov::render {
namespace {
using kainjow::mustache::data;
using plan::Interface;

constexpr std::string_view kUnits = "/lib/systemd/system/";

// "KEY=VALUE" lines of a section.
class Settings {
  public:
    void add(const std::string& key, const std::string& value) {
        data pair;
        pair["key"] = key;
        pair["value"] = value;
        list_ << pair;
        is_empty_ = false;
    }
    bool is_empty() const { return is_empty_; }
    const data& list() const { return list_; }

  private:
    data list_{data::type::list};
    bool is_empty_ = true;
};

// What only a router says is believed where a static address has no router of its own, but no address is taken from it.
bool takes_routes_only(const Interface& interface) {
    const auto is_given = [](const std::string& address) { return is_static(address) && is_ipv6(address); };
    return std::ranges::any_of(interface.address, is_given) && !ignores_advertisements(interface) &&
           !has_dhcp6(interface) && !has_address(interface, "slaac");
}

void add_dhcp(const Interface& interface, Settings& network) {
    const bool ipv4 = has_dhcp4(interface), ipv6 = has_dhcp6(interface);
    if (ipv4 || ipv6)
        network.add("DHCP", ipv4 && ipv6 ? "yes" : ipv4 ? "ipv4" : "ipv6");
    if (has_address(interface, "slaac"))
        network.add("IPv6AcceptRA", "yes");
    else if (ignores_advertisements(interface) || has_address(interface, "none"))
        network.add("IPv6AcceptRA", "no");
    if (has_address(interface, "none"))
        network.add("LinkLocalAddressing", "no");
}

Settings network_section(const plan::Plan& plan, const Interface& interface) {
    Settings network;
    add_dhcp(interface, network);
    for (const auto& address : interface.address)
        if (is_static(address))
            network.add("Address", address);
    for (const auto& server : interface.dns) network.add("DNS", server);
    const auto domains = search_domains(plan, interface);
    if (!domains.empty() && !has_address(interface, "none"))
        network.add("Domains", joined(domains, " "));
    for (const auto& other : plan.interfaces)
        if (other.vlan && other.parent == interface.name)
            network.add("VLAN", other.name);
    return network;
}

Settings link_section(const Interface& interface) {
    Settings link;
    if (interface.mtu)
        link.add("MTUBytes", std::to_string(*interface.mtu));
    if (has_address(interface, "none"))  // nobody is to wait for an address that never comes
        link.add("RequiredForOnline", "no");
    return link;
}

GuestFile network_file(const plan::Plan& plan, const Interface& interface) {
    data gateways{data::type::list};
    for (const auto& gateway : interface.gateway) gateways << data{"gateway", gateway};
    const auto network = network_section(plan, interface), link = link_section(interface);
    data values;
    if (interface.vlan || interface.any_card)
        values["name"] = interface.name;
    else
        values["mac"] = interface.mac;
    values["has_link"] = !link.is_empty();
    values.set("link", link.list());
    values.set("network", network.list());
    values.set("gateways", gateways);
    values["no_prefixes"] = takes_routes_only(interface);
    values["own_dns"] = (has_dhcp4(interface) || has_dhcp6(interface)) && !interface.dns.empty();
    return {fmt::format("/etc/systemd/network/10-{}.network", interface.name), rendered("network", values)};
}

GuestFile netdev_file(const Interface& interface) {
    data values;
    values["name"] = interface.name;
    values["id"] = std::to_string(interface.vlan.value_or(0));
    return {fmt::format("/etc/systemd/network/10-{}.netdev", interface.name), rendered("netdev", values)};
}

// What `systemctl enable systemd-networkd` makes, systemd 252.
std::vector<GuestFile> enabled_networkd() {
    const auto link = [](std::string path, std::string_view unit) {
        GuestFile file{std::move(path), fmt::format("{}{}", kUnits, unit)};
        file.is_link = true;
        return file;
    };
    const auto wanted = [&](std::string_view by, std::string_view unit) {
        return link(fmt::format("/etc/systemd/system/{}.wants/{}", by, unit), unit);
    };
    return {link("/etc/systemd/system/dbus-org.freedesktop.network1.service", "systemd-networkd.service"),
            wanted("multi-user.target", "systemd-networkd.service"),
            wanted("sockets.target", "systemd-networkd.socket"),
            wanted("sysinit.target", "systemd-network-generator.service"),
            wanted("network-online.target", "systemd-networkd-wait-online.service")};
}

}  // namespace

std::vector<GuestFile> networkd_files(const plan::Plan& plan) {
    std::vector<GuestFile> files;
    for (const auto& interface : plan.interfaces) {
        if (interface.vlan)
            files.push_back(netdev_file(interface));
        files.push_back(network_file(plan, interface));
    }
    std::ranges::move(enabled_networkd(), std::back_inserter(files));
    return files;
}

}  // namespace vprov::render
