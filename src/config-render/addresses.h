// What an interface's addresses mean, for those who write it down. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace vprov::render {

bool is_ipv6(std::string_view address);    // of an address, with a prefix or without
bool is_static(std::string_view address);  // an address, and no word for where it comes from

bool has_address(const plan::Interface& interface, std::string_view address);

// "dhcp" by itself is IPv4 and IPv6 as the network offers them, and beside other addresses IPv4.
bool has_dhcp4(const plan::Interface& interface);
bool has_dhcp6(const plan::Interface& interface);

// An IPv6 address and router are given, and nothing says that more come from elsewhere.
bool ignores_advertisements(const plan::Interface& interface);

// Its own, or else the guest's domain.
std::vector<std::string> search_domains(const plan::Plan& plan, const plan::Interface& interface);

}  // namespace vprov::render
