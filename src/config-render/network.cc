#include "config-render/network.h"

#include <algorithm>

#include "base/text.h"
#include "config-render/suite.h"
#include "config-render/templates.h"

namespace vprov::render {
namespace {
using kainjow::mustache::data;
using plan::Interface;

constexpr std::string_view kUnits = "/lib/systemd/system/";

std::string interface_name(std::size_t index) {
    return fmt::format("lan{}", index);
}

bool is_dhcp(std::string_view address) {
    return address == "dhcp";
}
bool is_ipv6(std::string_view address) {
    return address.find(':') != std::string_view::npos;
}
bool uses_dhcp(const Interface& interface) {
    return std::ranges::any_of(interface.address, is_dhcp);
}

data setting(const std::string& key, const std::string& value) {
    data pair;
    pair["key"] = key;
    pair["value"] = value;
    return pair;
}

// One `iface` stanza an address; the gateway stands in the first static one of its family.
data stanzas(const Interface& interface) {
    data list{data::type::list};
    bool gateway_is_due = !interface.gateway.empty();
    for (const auto& address : interface.address) {
        data stanza;
        stanza["family"] = is_ipv6(address) ? "inet6" : "inet";
        stanza["method"] = is_dhcp(address) ? "dhcp" : "static";
        data settings{data::type::list};
        if (!is_dhcp(address)) {
            settings << setting("address", address);
            if (gateway_is_due && is_ipv6(address) == is_ipv6(interface.gateway)) {
                settings << setting("gateway", interface.gateway);
                gateway_is_due = false;
            }
        }
        stanza.set("settings", settings);
        list << stanza;
    }
    return list;
}

GuestFile interfaces_file(const plan::Plan& plan) {
    data list{data::type::list};
    for (std::size_t i = 0; i < plan.interfaces.size(); ++i) {
        data entry;
        entry["name"] = interface_name(i);
        entry["mac"] = plan.interfaces[i].mac;
        entry.set("stanzas", stanzas(plan.interfaces[i]));
        list << entry;
    }
    return {"/etc/network/interfaces", rendered("interfaces", data{"interfaces", list})};
}

GuestFile networkd_file(const plan::Plan& plan, std::size_t index) {
    const auto& interface = plan.interfaces[index];
    data network{data::type::list};
    if (uses_dhcp(interface))
        network << setting("DHCP", "yes");
    for (const auto& address : interface.address)
        if (!is_dhcp(address))
            network << setting("Address", address);
    for (const auto& server : interface.dns) network << setting("DNS", server);
    if (plan.recipe.identity.domain)
        network << setting("Domains", *plan.recipe.identity.domain);
    data gateways{data::type::list};
    if (!interface.gateway.empty())
        gateways << data{"gateway", interface.gateway};
    data values;
    values["mac"] = interface.mac;
    values.set("network", network);
    values.set("gateways", gateways);
    values["own_dns"] = uses_dhcp(interface) && !interface.dns.empty();
    return {fmt::format("/etc/systemd/network/10-{}.network", interface_name(index)), rendered("network", values)};
}

GuestFile link(std::string path, std::string target) {
    GuestFile file{std::move(path), std::move(target)};
    file.is_link = true;
    return file;
}

// What `systemctl enable systemd-networkd` makes, systemd 252.
std::vector<GuestFile> enabled_networkd() {
    const auto unit = [](std::string_view where, std::string_view name) {
        return link(fmt::format("/etc/systemd/system/{}{}", where, name), fmt::format("{}{}", kUnits, name));
    };
    return {link("/etc/systemd/system/dbus-org.freedesktop.network1.service",
                 fmt::format("{}systemd-networkd.service", kUnits)),
            unit("multi-user.target.wants/", "systemd-networkd.service"),
            unit("sockets.target.wants/", "systemd-networkd.socket"),
            unit("sysinit.target.wants/", "systemd-network-generator.service"),
            unit("network-online.target.wants/", "systemd-networkd-wait-online.service")};
}

std::vector<std::string> name_servers(const plan::Plan& plan) {
    std::vector<std::string> all;
    for (const auto& interface : plan.interfaces)
        for (const auto& server : interface.dns)
            if (std::ranges::find(all, server) == all.end())
                all.push_back(server);
    return all;
}

std::string resolv_conf(const plan::Plan& plan, const std::vector<std::string>& servers, std::string_view comment) {
    data values;
    data comments{data::type::list};
    if (!comment.empty())
        comments << data{"text", std::string(comment)};
    values.set("comments", comments);
    if (plan.recipe.identity.domain)
        values["domain"] = *plan.recipe.identity.domain;
    data list{data::type::list};
    for (const auto& server : servers) list << data{"server", server};
    values.set("servers", list);
    return rendered("resolv.conf", values);
}

// dhclient and dhcpcd both source hooks before they write resolv.conf.
std::vector<GuestFile> hooks_that_keep_resolv_conf(const PackageNames& packages) {
    std::vector<GuestFile> files;
    if (packages.contains("isc-dhcp-client"))
        files.push_back({"/etc/dhcp/dhclient-enter-hooks.d/keep-resolv-conf",
                         "# The name servers in /etc/resolv.conf stay as they are.\nmake_resolv_conf() {\n    :\n}\n"});
    if (packages.contains("dhcpcd-base"))
        files.push_back({"/etc/dhcpcd.enter-hook",
                         "# The name servers in /etc/resolv.conf stay as they are.\n"
                         "skip_hooks=\"$skip_hooks resolv.conf\"\n"});
    return files;
}

std::string_view resolver_comment(bool dhcp, bool ifupdown) {
    if (!dhcp)
        return "No name server is configured.";
    return ifupdown ? "Replaced with what DHCP says when the network comes up."
                    : "No name server: systemd-networkd passes on what DHCP says only with systemd-resolved.";
}

}  // namespace

std::vector<GuestFile> link_files(const plan::Plan& plan) {
    std::vector<GuestFile> files;
    for (std::size_t i = 0; i < plan.interfaces.size(); ++i) {
        data values;
        values["mac"] = plan.interfaces[i].mac;
        values["name"] = interface_name(i);
        files.push_back({fmt::format("/etc/systemd/network/10-{}.link", interface_name(i)), rendered("link", values)});
    }
    return files;
}

std::vector<GuestFile> network_files(const plan::Plan& plan, const PackageNames& packages) {
    if (packages.contains("ifupdown"))
        return {interfaces_file(plan)};
    if (!packages.contains("systemd") || plan.interfaces.empty())
        return {};
    std::vector<GuestFile> files;
    for (std::size_t i = 0; i < plan.interfaces.size(); ++i) files.push_back(networkd_file(plan, i));
    std::ranges::move(enabled_networkd(), std::back_inserter(files));
    return files;
}

std::string hosts(const plan::Plan& plan) {
    const auto names = plan.fqdn == plan.hostname || plan.fqdn.empty()
                           ? plan.hostname
                           : fmt::format("{}\t{}", plan.fqdn, plan.hostname);
    std::vector<std::string> found;
    for (const auto& interface : plan.interfaces)
        for (const auto& address : interface.address)
            if (!is_dhcp(address))
                found.push_back(address.substr(0, address.find('/')));
    // one address a family: the resolver answers with the first
    data addresses{data::type::list};
    const auto add = [&](const std::string& address) {
        data entry;
        entry["address"] = address;
        entry["names"] = names;
        addresses << entry;
    };
    const auto v4 = std::ranges::find_if_not(found, is_ipv6);
    const auto v6 = std::ranges::find_if(found, is_ipv6);
    add(v4 == found.end() ? "127.0.1.1" : *v4);
    if (v6 != found.end())
        add(*v6);
    return rendered("hosts", data{"addresses", addresses});
}

std::vector<GuestFile> resolver_files(const plan::Plan& plan, const PackageNames& packages) {
    const bool ifupdown = packages.contains("ifupdown");
    if (!ifupdown && packages.contains("systemd-resolved"))
        return {link("/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf")};
    const auto servers = name_servers(plan);
    const bool dhcp = std::ranges::any_of(plan.interfaces, uses_dhcp);
    const auto comment = servers.empty() ? resolver_comment(dhcp, ifupdown) : "";
    std::vector<GuestFile> files = {{"/etc/resolv.conf", resolv_conf(plan, servers, comment)}};
    if (ifupdown && dhcp && !servers.empty())
        std::ranges::move(hooks_that_keep_resolv_conf(packages), std::back_inserter(files));
    return files;
}

}  // namespace vprov::render
