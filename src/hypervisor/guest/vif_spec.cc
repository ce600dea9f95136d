#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_string.h"
#include "hypervisor/guest/cfg_values.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/enum_names.h"

namespace vprov::hypervisor {
namespace {

bool is_mac(std::string_view text) {
    if (text.size() != 17)
        return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (i % 3 == 2 ? c != ':' : !is_hex)
            return false;
    }
    return true;
}

// "10Mb/s", "250KB/s@20ms": xl-network-configuration(5), rate.
bool is_rate(std::string_view text) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(digits);
    const auto at = std::min(text.find('@'), text.size());
    auto unit = text.substr(0, at);
    if (!unit.empty() && (unit.front() == 'G' || unit.front() == 'M' || unit.front() == 'K'))
        unit.remove_prefix(1);
    if (digits == 0 || (unit != "b/s" && unit != "B/s"))
        return false;
    if (at == text.size())
        return true;
    const auto interval = text.substr(at + 1);
    const auto length = std::min(interval.find_first_not_of("0123456789"), interval.size());
    const auto scale = interval.substr(length);
    return length > 0 && (scale.empty() || scale == "s" || scale == "ms" || scale == "us");
}

// In the order in which they are written, `type` before them.
constexpr std::array<std::pair<std::string_view, std::string GuestInterface::*>, 7> kMembers = {
    {{"mac", &GuestInterface::mac},
     {"bridge", &GuestInterface::bridge},
     {"model", &GuestInterface::model},
     {"ip", &GuestInterface::ip},
     {"rate", &GuestInterface::rate},
     {"script", &GuestInterface::script},
     {"vifname", &GuestInterface::vifname}}};

std::string* member_of(GuestInterface& vif, std::string_view key) {
    for (const auto& [name, member] : kMembers)
        if (name == key)
            return &(vif.*member);
    return nullptr;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> split_pairs(std::string_view spec) {
    std::vector<std::pair<std::string, std::string>> pairs;
    if (trimmed(spec).empty())
        return pairs;
    for (const auto part : split(spec, ',')) {
        const auto equals = part.find('=');
        const auto value = equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
        if (!trimmed(part).empty())
            pairs.emplace_back(trimmed(part.substr(0, equals)), trimmed(value));
    }
    return pairs;
}

GuestInterface parse_vif_spec(std::string_view spec) {
    const auto fail = [&](const std::string& cause) {
        throw error(ErrorKind::hypervisor, "cannot read the vif {}: {}", quote(spec), cause);
    };
    GuestInterface vif;
    for (const auto& [key, value] : split_pairs(spec)) {
        if (value.empty() && key != "trusted" && key != "untrusted")
            fail(fmt::format("{} has no value", quote(key)));
        const auto type = value_in(kVifTypeNames, value);
        if (key == "mac" && !is_mac(value))
            fail(fmt::format("{} is not a MAC address (six pairs of hex digits, with ':' between)", quote(value)));
        if (key == "type" && !type)
            fail(fmt::format("the type {} is neither 'ioemu' nor 'vif'", quote(value)));
        if (key == "rate" && !is_rate(value))
            fail(fmt::format("{} is not a rate, such as '10Mb/s' or '250KB/s@20ms'", quote(value)));
        if (key == "type")
            vif.type = *type;
        else if (auto* const place = member_of(vif, key))
            *place = value;
        else
            vif.other[key] = value;
    }
    return vif;
}

std::string write_vif_spec(const GuestInterface& vif, Dialect dialect) {
    std::string spec;
    const auto between = dialect == Dialect::xl ? "," : ", ";
    const auto add = [&](std::string_view key, std::string_view value) {
        if (value.find(',') != std::string_view::npos || trimmed(value) != value)
            refuse_to_write(fmt::format("the vif's {}", key), value, "it has a comma, or blanks around it");
        spec += fmt::format("{}{}{}{}", spec.empty() ? "" : between, key, value.empty() ? "" : "=", value);
    };
    if (vif.type != VifType::automatic)
        add("type", name_in(kVifTypeNames, vif.type));
    for (const auto& [key, member] : kMembers)
        if (!(vif.*member).empty())
            add(key, vif.*member);
    for (const auto& [key, value] : vif.other) add(key, value);
    return spec;
}

std::uint64_t kilobytes_per_second(std::string_view rate) {
    const auto digits = std::min(rate.find_first_not_of("0123456789"), rate.size());
    constexpr std::size_t kMostDigits = 9;
    if (digits == 0 || digits > kMostDigits)
        return 0;
    auto bytes = *parse_number(
        trimmed(rate.substr(0, digits)).substr(std::min(rate.find_first_not_of('0'), digits - 1), digits));
    auto unit = rate.substr(digits);
    constexpr std::string_view kScales = "KMG";
    if (const auto place = unit.empty() ? std::string_view::npos : kScales.find(unit.front());
        place != std::string_view::npos) {
        for (std::size_t i = 0; i <= place; ++i) bytes *= 1000;
        unit.remove_prefix(1);
    }
    if (unit.starts_with("b/s"))
        bytes /= 8;
    else if (!unit.starts_with("B/s"))
        return 0;
    return std::max<std::uint64_t>(1, bytes / 1000);
}

bool is_vif_key(std::string_view key) {
    constexpr std::array<std::string_view, 9> kOther = {"backend", "gatewaydev", "netdev", "devid", "mtu",
                                                        "trusted", "untrusted",  "accel",  "vlan"};
    const auto is_one_of = [&](const auto& keys) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
    return is_one_of(kOther) || is_one_of(kBootServerKeys);
}

}  // namespace vprov::hypervisor
