#include <array>

#include "recipe/address.h"
#include "recipe/charset.h"
#include "recipe/forms.h"
#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

using Family = Address::Family;

constexpr std::array<std::string_view, 5> kWords = {"dhcp", "dhcp4", "dhcp6", "slaac", "none"};
constexpr std::int64_t kSmallestMtu = 68, kSmallestIpv6Mtu = 1280, kLargestMtu = 65535;  // RFC 791, RFC 8200
constexpr std::int64_t kLastVlan = 4094;  // IEEE 802.1Q: 0 and 4095 are reserved
constexpr std::size_t kLongestName = 15;  // IFNAMSIZ without its zero

std::string mac_of(const Node& node) {
    if (node.text == kMacByHypervisor)
        return node.text;
    auto mac = word(flaw_of_mac)(node);
    std::transform(mac.begin(), mac.end(), mac.begin(),
                   [](char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
    return mac;
}

bool is_word(std::string_view address) {
    return std::find(kWords.begin(), kWords.end(), address) != kWords.end();
}

std::string address_of(const Node& node) {
    auto text = string_of(node);
    if (auto flaw = is_word(text) ? "" : flaw_of_cidr(text); !flaw.empty())
        throw Refusal{std::move(flaw)};
    return text;
}

// A list whose only item may stand without brackets.
Key<Network> one_or_more(std::string_view name, std::vector<std::string> Network::*member,
                         std::string (*read)(const Node&)) {
    return {name,
            [=](Network& network, const Node& node, const std::string& what, Findings& findings) {
                (network.*member).clear();
                const auto add = [&](const Node& item) {
                    read_value(item, what, findings, [&] { (network.*member).push_back(read(item)); });
                };
                if (node.kind != Node::Kind::array)
                    return add(node);
                if (node.items.empty())
                    findings.refuse(node, what, "it is empty");
                for (const auto& item : node.items) add(item);
            },
            {}};
}

std::string gateway_of(const Node& node) {
    return word(flaw_of_address)(node);
}

unsigned bounded(const Node& node, std::int64_t least, std::int64_t most) {
    const auto number = integer_of(node);
    if (number < least || number > most)
        throw Refusal{fmt::format("{} to {} is wanted", least, most)};
    return static_cast<unsigned>(number);
}

const Node& item_of(const Node& node, std::size_t index) {
    return node.kind == Node::Kind::array ? node.items.at(index) : node;
}

// Only when every item was good do items and values go together.
bool is_whole(const Node* node, std::size_t count) {
    return node && (node->kind == Node::Kind::array ? node->items.size() : 1) == count && count > 0;
}

bool is_of(const std::string& address, Family family) {
    const auto cidr = parse_cidr(address);
    return cidr && cidr->address.family == family;
}

bool has(const Network& network, std::string_view address) {
    return std::find(network.address.begin(), network.address.end(), address) != network.address.end();
}

bool has_dhcp4(const Network& network) {
    return has(network, "dhcp") || has(network, "dhcp4");
}

void check_addresses(const Network& network, const Node& table, Findings& findings) {
    const auto* node = table.find("address");
    if (!is_whole(node, network.address.size()))
        return;
    const auto refuse = [&](std::size_t index, std::string_view cause) {
        findings.refuse(item_of(*node, index), "[[network]] address", cause);
    };
    for (std::size_t i = 0; i < network.address.size(); ++i) {
        const auto& address = network.address[i];
        if (std::find(network.address.begin(), network.address.begin() + static_cast<std::ptrdiff_t>(i), address) !=
            network.address.begin() + static_cast<std::ptrdiff_t>(i))
            refuse(i, "it is there already");
        else if (address == "none" && network.address.size() > 1)
            refuse(i, "it goes with no other address");
        else if (address == "dhcp4" && has(network, "dhcp"))
            refuse(i, "\"dhcp\" has that in it");
        else if (is_of(address, Family::ipv4) && has_dhcp4(network))
            refuse(i, "the guest's IPv4 address comes by DHCP");
    }
}

void check_gateway(const Network& network, const Node& node, const Address& gateway, Findings& findings) {
    const bool is_ipv4 = gateway.family == Family::ipv4;
    const auto refuse = [&](std::string_view cause) { findings.refuse(node, "[[network]] gateway", cause); };
    if (is_ipv4 && has_dhcp4(network))
        return refuse("the guest learns it with its address, by DHCP");
    bool reached = gateway.is_link_local();
    for (const auto& text : network.address) {
        const auto cidr = parse_cidr(text);
        reached = reached || (cidr && cidr->contains(gateway));
        if (cidr && cidr->address == gateway)
            return refuse("it is the guest's own address");
    }
    if (!reached)
        refuse(fmt::format("it is in no network of {}", joined(network.address, ", ")));
}

void check_gateways(const Network& network, const Node& table, Findings& findings) {
    const auto* node = table.find("gateway");
    if (!is_whole(node, network.gateway.size()) || network.address.empty())
        return;
    bool seen[2] = {false, false};
    for (std::size_t i = 0; i < network.gateway.size(); ++i) {
        const auto gateway = parse_address(network.gateway[i]);
        auto& is_second = seen[gateway->family == Family::ipv4 ? 0 : 1];
        if (is_second)
            findings.refuse(item_of(*node, i), "[[network]] gateway", "there is one of that family already");
        else
            check_gateway(network, item_of(*node, i), *gateway, findings);
        is_second = true;
    }
}

void check_mtu(const Network& network, const Node& table, Findings& findings) {
    const bool ipv6 = std::any_of(network.address.begin(), network.address.end(), [](const std::string& address) {
        return address == "slaac" || address == "dhcp6" || is_of(address, Family::ipv6);
    });
    if (network.mtu && ipv6 && *network.mtu < kSmallestIpv6Mtu)
        findings.refuse(*table.find("mtu"), "[[network]] mtu", fmt::format("IPv6 takes at least {}", kSmallestIpv6Mtu));
}

void check_network(const Network& network, const Node& table, Findings& findings) {
    check_addresses(network, table, findings);
    check_gateways(network, table, findings);
    check_mtu(network, table, findings);
    if (table.find("vlan")) {
        for (const auto* name : {"bridge", "mac", "name"})
            if (table.find(name))
                findings.add(table.place_of(name), fmt::format("cannot use [[network]] {} together with vlan: it is "
                                                               "its parent's, and a VLAN's name follows from that",
                                                               name));
    } else if (table.find("parent")) {
        findings.add(table.place_of("parent"), "cannot use [[network]] parent without vlan");
    }
}

// udev would have to take a name from one interface to give it to the other, which the kernel may refuse.
bool is_kernels_name(std::string_view name) {
    return name.starts_with("eth") && name.size() > 3 &&
           std::all_of(name.begin() + 3, name.end(), [](char c) { return is_digit(c); });
}

void check_names(const std::vector<Network>& networks, const Node& array, Findings& findings) {
    const auto names = interface_names(networks);
    const auto real = std::count_if(networks.begin(), networks.end(), [](const auto& one) { return !one.vlan; });
    for (std::size_t i = 0; i < networks.size(); ++i) {
        const auto& table = array.items[i];
        if (networks[i].name && real > 1 && is_kernels_name(*networks[i].name))
            findings.refuse(*table.find("name"), "[[network]] name",
                            "the kernel itself may give it to another interface of this guest");
        if (networks[i].vlan && names[i].name.empty())
            findings.add(table.place_of("parent"),
                         networks[i].parent
                             ? fmt::format("cannot use {} as [[network]] parent: no network without vlan has this name",
                                           quote(*networks[i].parent))
                             : "cannot use [[network]] vlan: no network without vlan stands before it");
        if (networks[i].vlan && names[i].name.size() > kLongestName)
            findings.add(table.place_of("vlan"),
                         fmt::format("cannot use [[network]] vlan: the name {} has more than {} characters",
                                     quote(names[i].name), kLongestName));
        for (std::size_t first = 0; first < i; ++first)
            if (!names[i].name.empty() && names[first].name == names[i].name)
                findings.add(table.place_of(networks[i].vlan ? "vlan" : "name"),
                             fmt::format("cannot use [[network]]: its name {} is that of the one at {}",
                                         quote(names[i].name), findings.text_of(array.items[first].place)));
    }
}

}  // namespace

std::vector<InterfaceName> interface_names(const std::vector<Network>& networks) {
    std::vector<InterfaceName> names;
    std::vector<std::string> real;
    for (const auto& network : networks) {
        if (!network.vlan) {
            real.push_back(network.name.value_or(fmt::format("lan{}", real.size())));
            names.push_back({real.back(), ""});
            continue;
        }
        names.push_back({"", network.parent.value_or(real.empty() ? "" : real.back())});
    }
    for (std::size_t i = 0; i < networks.size(); ++i)  // a parent may stand behind its VLAN
        if (networks[i].vlan && std::find(real.begin(), real.end(), names[i].parent) != real.end())
            names[i].name = fmt::format("{}.{}", names[i].parent, *networks[i].vlan);
    return names;
}

Keys<Network> network_keys() {
    const Choices<hypervisor::VifType> vif_types = {{"vif", hypervisor::VifType::vif},
                                                    {"ioemu", hypervisor::VifType::ioemu}};
    const auto mtu = [](const Node& node) { return bounded(node, kSmallestMtu, kLargestMtu); };
    const auto vlan = [](const Node& node) { return bounded(node, 1, kLastVlan); };
    return {
        "[[network]]",
        {key("name", &Network::name, word(flaw_of_interface)), key("bridge", &Network::bridge, word(flaw_of_bridge)),
         key("mac", &Network::mac, mac_of), one_or_more("address", &Network::address, address_of),
         one_or_more("gateway", &Network::gateway, gateway_of), list("dns", &Network::dns, word(flaw_of_address)),
         list("search", &Network::search, word(flaw_of_domain)), key("mtu", &Network::mtu, mtu),
         key("vlan", &Network::vlan, vlan), key("parent", &Network::parent, word(flaw_of_interface)),
         key("type", &Network::type, choice(vif_types)), key("model", &Network::model, word(flaw_of_vif_word)),
         key("ip", &Network::ip, word(flaw_of_address)), key("rate", &Network::rate, word(flaw_of_vif_word)),
         key("script", &Network::script, word(flaw_of_vif_word)),
         key("vifname", &Network::vifname, word(flaw_of_bridge))},
        {},
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
    if (array && array->kind == Node::Kind::array && array->items.size() == networks.size())
        check_names(networks, *array, findings);
}

}  // namespace vprov::recipe
