#include "config-render/addresses.h"

#include <algorithm>

namespace vprov::render {

bool is_ipv6(std::string_view address) {
    return address.find(':') != std::string_view::npos;
}

bool is_static(std::string_view address) {
    return address.find('/') != std::string_view::npos;
}

bool has_address(const plan::Interface& interface, std::string_view address) {
    return std::ranges::find(interface.address, address) != interface.address.end();
}

bool has_dhcp4(const plan::Interface& interface) {
    return has_address(interface, "dhcp") || has_address(interface, "dhcp4");
}

bool has_dhcp6(const plan::Interface& interface) {
    return has_address(interface, "dhcp6") || (has_address(interface, "dhcp") && interface.address.size() == 1);
}

bool ignores_advertisements(const plan::Interface& interface) {
    const auto is_given = [](const std::string& address) { return is_static(address) && is_ipv6(address); };
    return std::ranges::any_of(interface.address, is_given) && std::ranges::any_of(interface.gateway, is_ipv6) &&
           !has_dhcp6(interface) && !has_address(interface, "slaac");
}

std::vector<std::string> search_domains(const plan::Plan& plan, const plan::Interface& interface) {
    if (!interface.search.empty() || !plan.recipe.identity.domain)
        return interface.search;
    return {*plan.recipe.identity.domain};
}

}  // namespace vprov::render
