#include "recipe/address.h"
#include "recipe/charset.h"
#include "recipe/forms.h"
#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

std::string mac_of(const Node& node) {
    if (node.text == kMacByHypervisor)
        return node.text;
    auto mac = word(flaw_of_mac)(node);
    std::transform(mac.begin(), mac.end(), mac.begin(),
                   [](char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
    return mac;
}

// "dhcp" and a single address may stand without brackets.
Key<Network> address_key() {
    return {"address",
            [](Network& network, const Node& node, const std::string& what, Findings& findings) {
                const auto read = [&](const Node& item) {
                    read_value(item, what, findings, [&] {
                        auto text = string_of(item);
                        if (auto flaw = text == "dhcp" ? "" : flaw_of_cidr(text); !flaw.empty())
                            throw Refusal{std::move(flaw)};
                        network.address.push_back(std::move(text));
                    });
                };
                network.address.clear();
                if (node.kind != Node::Kind::array)
                    return read(node);
                if (node.items.empty())
                    findings.refuse(node, what, "it is empty");
                for (const auto& item : node.items) {
                    read(item);
                    if (item.text == "dhcp" && node.items.size() > 1)
                        findings.refuse(item, what, "it goes with no other address");
                }
            },
            {}};
}

void check_network(const Network& network, const Node& table, Findings& findings) {
    const auto* node = table.find("gateway");
    const auto gateway = network.gateway ? parse_address(*network.gateway) : std::nullopt;
    if (!node || !gateway || network.address.empty())
        return;
    if (network.address.front() == "dhcp")
        return findings.refuse(*node, "[[network]] gateway", "the guest learns it with its address, by DHCP");
    bool reached = gateway->is_link_local();
    for (const auto& text : network.address) {
        const auto cidr = parse_cidr(text);
        reached = reached || (cidr && cidr->contains(*gateway));
        if (cidr && cidr->address == *gateway)
            findings.refuse(*node, "[[network]] gateway", "it is the guest's own address");
    }
    if (!reached)
        findings.refuse(*node, "[[network]] gateway",
                        fmt::format("it is in no network of {}", joined(network.address, ", ")));
}

}  // namespace

Keys<Network> network_keys() {
    const Choices<hypervisor::VifType> vif_types = {{"vif", hypervisor::VifType::vif},
                                                    {"ioemu", hypervisor::VifType::ioemu}};
    return {
        "[[network]]",
        {key("bridge", &Network::bridge, word(flaw_of_bridge)), key("mac", &Network::mac, mac_of), address_key(),
         key("gateway", &Network::gateway, word(flaw_of_address)), list("dns", &Network::dns, word(flaw_of_address)),
         key("type", &Network::type, choice(vif_types)), key("model", &Network::model, word(flaw_of_vif_word)),
         key("ip", &Network::ip, word(flaw_of_address)), key("rate", &Network::rate, word(flaw_of_vif_word)),
         key("script", &Network::script, word(flaw_of_vif_word)),
         key("vifname", &Network::vifname, word(flaw_of_bridge))},
        {"vlan"},
        {},
        check_network};
}

void check_networks(const std::vector<Network>& networks, const Node* array, Findings& findings) {
    refuse_repeats(
        networks, array, "[[network]]", "mac",
        [](const Network& network) {
            return network.mac == kMacByHypervisor ? std::string() : network.mac.value_or("");
        },
        findings);
}

}  // namespace vprov::recipe
