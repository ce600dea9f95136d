#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/device_spec.h"

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
        if (value.empty())
            fail(fmt::format("{} has no value", quote(key)));
        if (key == "mac") {
            if (!is_mac(value))
                fail(fmt::format("{} is not a MAC address (six pairs of hex digits, with ':' between)", quote(value)));
            vif.mac = value;
        } else if (key == "bridge") {
            vif.bridge = value;
        } else if (key == "model") {
            vif.model = value;
        } else {
            vif.other[key] = value;
        }
    }
    return vif;
}

}  // namespace vprov::hypervisor
