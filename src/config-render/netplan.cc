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
using Lines = std::vector<std::string>;

void add_list(Lines& lines, std::string_view key, const std::vector<std::string>& items, std::string_view indent = "") {
    if (items.empty())
        return;
    lines.push_back(fmt::format("{}{}:", indent, key));
    for (const auto& item : items) lines.push_back(fmt::format("{}  - \"{}\"", indent, item));
}

void add_addresses(const Interface& interface, Lines& lines) {
    if (has_address(interface, "none")) {
        lines.insert(lines.end(), {"link-local: []", "optional: true"});
    }
    if (has_dhcp4(interface))
        lines.emplace_back("dhcp4: true");
    if (has_dhcp6(interface))
        lines.emplace_back("dhcp6: true");
    if (has_address(interface, "slaac"))
        lines.emplace_back("accept-ra: true");
    else if (ignores_advertisements(interface) || has_address(interface, "none"))
        lines.emplace_back("accept-ra: false");
    std::vector<std::string> given;
    std::ranges::copy_if(interface.address, std::back_inserter(given), is_static);
    add_list(lines, "addresses", given);
}

// 0.0.0.0/0 rather than "default", which netplan knows from 0.103 on.
void add_routes(const Interface& interface, Lines& lines) {
    if (!interface.gateway.empty())
        lines.emplace_back("routes:");
    for (const auto& gateway : interface.gateway) {
        lines.push_back(fmt::format("  - to: \"{}\"", is_ipv6(gateway) ? "::/0" : "0.0.0.0/0"));
        lines.push_back(fmt::format("    via: \"{}\"", gateway));
        lines.emplace_back("    on-link: true");
    }
}

void add_name_servers(const plan::Plan& plan, const Interface& interface, Lines& lines) {
    const auto domains = has_address(interface, "none") ? std::vector<std::string>{} : search_domains(plan, interface);
    if (interface.dns.empty() && domains.empty())
        return;
    lines.emplace_back("nameservers:");
    add_list(lines, "addresses", interface.dns, "  ");
    add_list(lines, "search", domains, "  ");
    if (interface.dns.empty())
        return;
    if (has_dhcp4(interface))
        lines.insert(lines.end(), {"dhcp4-overrides:", "  use-dns: false"});
    if (has_dhcp6(interface))
        lines.insert(lines.end(), {"dhcp6-overrides:", "  use-dns: false"});
}

Lines settings_of(const plan::Plan& plan, const Interface& interface) {
    Lines lines;
    if (interface.vlan)
        lines = {fmt::format("id: {}", *interface.vlan), fmt::format("link: {}", interface.parent)};
    else if (!interface.any_card)  // or the key is the interface's name
        lines = {"match:", fmt::format("  macaddress: \"{}\"", interface.mac),
                 fmt::format("set-name: {}", interface.name)};
    add_addresses(interface, lines);
    add_routes(interface, lines);
    add_name_servers(plan, interface, lines);
    if (interface.mtu)
        lines.push_back(fmt::format("mtu: {}", *interface.mtu));
    return lines;
}

data interfaces_of(const plan::Plan& plan, bool vlans) {
    data list{data::type::list};
    for (const auto& interface : plan.interfaces) {
        if (interface.vlan.has_value() != vlans)
            continue;
        data settings{data::type::list};
        for (const auto& line : settings_of(plan, interface)) settings << data{"line", line};
        data entry;
        entry["name"] = interface.name;
        entry.set("settings", settings);
        list << entry;
    }
    return list;
}

}  // namespace

GuestFile netplan_file(const plan::Plan& plan) {
    data kinds{data::type::list};
    for (const bool vlans : {false, true}) {
        const auto interfaces = interfaces_of(plan, vlans);
        if (interfaces.is_empty_list())
            continue;
        data kind;
        kind["kind"] = vlans ? "vlans" : "ethernets";
        kind.set("interfaces", interfaces);
        kinds << kind;
    }
    // netplan 0.106 warns of a file that others may read: there may be passwords in it
    return {"/etc/netplan/01-vprov.yaml", rendered("netplan", data{"kinds", kinds}), 0600};
}

}  // namespace vprov::render
