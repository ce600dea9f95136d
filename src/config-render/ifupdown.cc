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

struct Method {
    const char *family, *name;
    bool takes_mtu;  // ifupdown 0.8: as an option of the stanza
};

Method method_of(std::string_view address) {
    if (address == "dhcp" || address == "dhcp4")
        return {"inet", "dhcp", false};
    if (address == "dhcp6")
        return {"inet6", "dhcp", false};
    if (address == "slaac")
        return {"inet6", "auto", false};
    if (address == "none")
        return {"inet", "manual", true};
    return {is_ipv6(address) ? "inet6" : "inet", "static", true};
}

class Stanza {
  public:
    explicit Stanza(const Method& method) {
        stanza_["family"] = std::string(method.family);
        stanza_["method"] = std::string(method.name);
    }
    void set(const std::string& key, const std::string& value) {
        data pair;
        pair["key"] = key;
        pair["value"] = value;
        settings_ << pair;
    }
    data take() {
        stanza_.set("settings", settings_);
        return stanza_;
    }

  private:
    data stanza_;
    data settings_{data::type::list};
};

// One `iface` stanza an address; a gateway stands in the first static one of its family.
data stanzas(const Interface& interface) {
    data list{data::type::list};
    auto gateways = interface.gateway;
    bool mtu_is_due = interface.mtu.has_value();
    for (const auto& address : interface.address) {
        const auto method = method_of(address);
        Stanza stanza(method);
        if (is_static(address)) {
            stanza.set("address", address);
            const auto gateway = std::ranges::find_if(
                gateways, [&](const std::string& one) { return is_ipv6(one) == is_ipv6(address); });
            if (gateway != gateways.end()) {
                stanza.set("gateway", *gateway);
                gateways.erase(gateway);
            }
            if (is_ipv6(address) && ignores_advertisements(interface))
                stanza.set("accept_ra", "0");
        }
        if (std::exchange(mtu_is_due, false))
            stanza.set(method.takes_mtu ? "mtu" : "pre-up ip link set dev $IFACE mtu",
                       std::to_string(interface.mtu.value_or(0)));
        list << stanza.take();
    }
    return list;
}

std::string comment_of(const Interface& interface) {
    if (interface.vlan)
        return fmt::format("VLAN {} on {}", *interface.vlan, interface.parent);
    if (interface.any_card)
        return fmt::format("named at the first boot, by /etc/systemd/network/10-{}.link", interface.name);
    return fmt::format("{}, named by /etc/systemd/network/10-{}.link", interface.mac, interface.name);
}

}  // namespace

GuestFile ifupdown_file(const plan::Plan& plan) {
    data list{data::type::list};
    for (const auto& interface : plan.interfaces) {
        data entry;
        entry["name"] = interface.name;
        entry["comment"] = comment_of(interface);
        entry.set("stanzas", stanzas(interface));
        list << entry;
    }
    return {"/etc/network/interfaces", rendered("interfaces", data{"interfaces", list})};
}

}  // namespace vprov::render
