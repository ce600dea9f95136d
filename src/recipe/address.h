// IP addresses with and without a prefix. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vprov::recipe {

struct Address {
    enum class Family { ipv4, ipv6 };
    Family family = Family::ipv4;
    std::array<std::uint8_t, 16> bytes{};  // four of them for IPv4
    bool operator==(const Address&) const = default;
    unsigned bits() const { return family == Family::ipv4 ? 32 : 128; }
    bool is_link_local() const;  // fe80::/10; false for IPv4
};

struct Cidr {
    Address address;
    unsigned prefix = 0;
    bool contains(const Address& other) const;
    bool is_network() const;  // no bit is set after the prefix, where that is no address for a machine
};

std::optional<Address> parse_address(std::string_view text);  // "192.0.2.7", "2001:db8::7"; no zone, no port
std::optional<Cidr> parse_cidr(std::string_view text);        // "192.0.2.7/24"

}  // namespace vprov::recipe
