#include "config-render/network.h"

#include <algorithm>

#include "base/text.h"
#include "config-render/addresses.h"
#include "config-render/renderers.h"
#include "config-render/templates.h"
#include "plan/suites.h"

namespace vprov::render {
namespace {
using kainjow::mustache::data;
using plan::Interface;
using recipe::NetworkRenderer;

bool uses_dhcp(const Interface& interface) {
    return has_dhcp4(interface) || has_dhcp6(interface);
}

GuestFile link(std::string path, std::string target) {
    GuestFile file{std::move(path), std::move(target)};
    file.is_link = true;
    return file;
}

void add_new(std::vector<std::string>& list, const std::vector<std::string>& more) {
    for (const auto& one : more)
        if (std::ranges::find(list, one) == list.end())
            list.push_back(one);
}

std::vector<std::string> name_servers(const plan::Plan& plan) {
    std::vector<std::string> all;
    for (const auto& interface : plan.interfaces) add_new(all, interface.dns);
    return all;
}

std::string resolv_conf(const plan::Plan& plan, const std::vector<std::string>& servers, std::string_view comment) {
    std::vector<std::string> domains;
    for (const auto& interface : plan.interfaces) add_new(domains, interface.search);
    if (domains.empty() && plan.recipe.identity.domain)
        domains = {*plan.recipe.identity.domain};
    data values;
    data comments{data::type::list};
    if (!comment.empty())
        comments << data{"text", std::string(comment)};
    values.set("comments", comments);
    if (!domains.empty())
        values["domain"] = joined(domains, " ");
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

// Ubuntu enables it wherever it is, Debian as a package only.
bool has_resolved(const plan::Plan& plan, const PackageNames& packages) {
    const auto& system = plan.recipe.system;
    return packages.contains("systemd-resolved") || (system.distribution == "ubuntu" && packages.contains("systemd") &&
                                                     !plan::has_systemd_resolved(system.suite));
}

}  // namespace

NetworkRenderer renderer_of(const plan::Plan& plan, const PackageNames& packages) {
    const auto asked = plan.recipe.identity.network_renderer;
    if (asked != NetworkRenderer::automatic)
        return asked;
    if (packages.contains("netplan.io"))
        return NetworkRenderer::netplan;
    if (packages.contains("ifupdown"))
        return NetworkRenderer::ifupdown;
    return packages.contains("systemd") ? NetworkRenderer::networkd : NetworkRenderer::none;
}

std::vector<GuestFile> link_files(const plan::Plan& plan) {
    std::vector<GuestFile> files;
    for (const auto& interface : plan.interfaces) {
        if (interface.vlan || interface.any_card)
            continue;
        data values;
        values["mac"] = interface.mac;
        values["name"] = interface.name;
        files.push_back({fmt::format("/etc/systemd/network/10-{}.link", interface.name), rendered("link", values)});
    }
    return files;
}

std::vector<GuestFile> network_files(const plan::Plan& plan, const PackageNames& packages) {
    const auto renderer = renderer_of(plan, packages);
    if (renderer == NetworkRenderer::ifupdown)
        return {ifupdown_file(plan)};
    if (plan.interfaces.empty())
        return {};
    if (renderer == NetworkRenderer::netplan)
        return {netplan_file(plan)};
    return renderer == NetworkRenderer::networkd ? networkd_files(plan) : std::vector<GuestFile>{};
}

std::string hosts(const plan::Plan& plan) {
    data addresses{data::type::list};
    if (plan.recipe.identity.is_template && !plan.recipe.identity.hostname)
        return rendered("hosts", data{"addresses", addresses});
    const auto names = plan.fqdn == plan.hostname || plan.fqdn.empty()
                           ? plan.hostname
                           : fmt::format("{}\t{}", plan.fqdn, plan.hostname);
    std::vector<std::string> found;
    for (const auto& interface : plan.interfaces)
        for (const auto& address : interface.address)
            if (is_static(address))
                found.push_back(address.substr(0, address.find('/')));
    // one address a family: the resolver answers with the first
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
    const auto renderer = renderer_of(plan, packages);
    const bool ifupdown = renderer == NetworkRenderer::ifupdown;
    if (!ifupdown && has_resolved(plan, packages))
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
