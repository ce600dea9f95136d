#include "recipe/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <string>

namespace vprov::recipe {
namespace {

bool bit(const Address& address, unsigned place) {
    return (address.bytes[place / 8] >> (7 - place % 8)) & 1;
}

}  // namespace

bool Address::is_link_local() const {
    return family == Family::ipv6 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

bool Cidr::contains(const Address& other) const {
    if (other.family != address.family)
        return false;
    for (unsigned place = 0; place < prefix; ++place)
        if (bit(address, place) != bit(other, place))
            return false;
    return true;
}

bool Cidr::is_network() const {
    if (prefix + 1 >= address.bits())  // /31 and /32 (RFC 3021), /127 and /128 (RFC 6164) have only machines
        return false;
    for (unsigned place = prefix; place < address.bits(); ++place)
        if (bit(address, place))
            return false;
    return true;
}

std::optional<Address> parse_address(std::string_view text) {
    const std::string terminated(text);
    if (terminated.find('\0') != std::string::npos)
        return std::nullopt;
    Address address;
    if (::inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1)
        return address;
    address.family = Address::Family::ipv6;
    if (::inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1)
        return address;
    return std::nullopt;
}

std::optional<Cidr> parse_cidr(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (slash == std::string_view::npos || !address)
        return std::nullopt;
    const auto digits = text.substr(slash + 1);
    unsigned prefix = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (failure != std::errc{} || end != digits.data() + digits.size() || prefix == 0 || prefix > address->bits())
        return std::nullopt;
    return Cidr{*address, prefix};
}

}  // namespace vprov::recipe
