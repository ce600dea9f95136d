#include "recipe/address_range.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace vprov::recipe {
namespace {

std::size_t length_of(const Address& address) {
    return address.bits() / 8;
}

Address last_of(const Cidr& network) {
    auto last = network.address;
    for (unsigned place = network.prefix; place < last.bits(); ++place)
        last.bytes[place / 8] |= static_cast<std::uint8_t>(1U << (7 - place % 8));
    return last;
}

Address previous(Address address) {
    for (auto place = length_of(address); place-- > 0;)
        if (address.bytes[place]-- != 0)
            break;
    return address;
}

bool is_number(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

Address next_address(Address address) {
    for (auto place = length_of(address); place-- > 0;)
        if (++address.bytes[place] != 0)
            break;
    return address;
}

std::string text_of(const Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(address.family == Address::Family::ipv4 ? AF_INET : AF_INET6, address.bytes.data(), text.data(),
                text.size());
    return text.data();
}

bool is_after(const Address& a, const Address& b) {
    return a.bytes > b.bytes;
}

std::optional<AddressRange> parse_address_range(std::string_view text) {
    const auto dash = text.find('-');
    const auto cidr = parse_cidr(dash == std::string_view::npos ? text : text.substr(dash + 1));
    if (!cidr)
        return std::nullopt;
    if (dash != std::string_view::npos) {
        const auto first = parse_address(text.substr(0, dash));
        if (!first || !cidr->contains(*first) || is_after(*first, cidr->address))
            return std::nullopt;
        return AddressRange{*first, cidr->address, cidr->prefix};
    }
    if (!cidr->is_network())
        return std::nullopt;
    return AddressRange{next_address(cidr->address), previous(last_of(*cidr)), cidr->prefix};
}

std::string mac_after(std::string_view mac, std::uint32_t steps) {
    std::uint32_t tail = 0;
    for (const auto place : {9U, 12U, 15U}) {
        unsigned byte = 0;
        std::from_chars(mac.data() + place, mac.data() + place + 2, byte, 16);
        tail = tail << 8 | byte;
    }
    tail = (tail + steps) & 0xffffff;
    return fmt::format("{}{:02x}:{:02x}:{:02x}", mac.substr(0, 9), tail >> 16, tail >> 8 & 0xff, tail & 0xff);
}

NumberPlace number_place(std::string_view pattern) {
    const auto begin = pattern.find('%');
    if (begin == std::string_view::npos || pattern.find('%', begin + 1) != std::string_view::npos)
        return {};
    auto end = begin + 1;
    while (end < pattern.size() && is_number(pattern[end])) ++end;
    const auto width = pattern.substr(begin + 1, end - begin - 1);
    const bool padded = width.size() == 2 && width[0] == '0' && width[1] > '0';
    if (end == pattern.size() || pattern[end] != 'd' || !(width.empty() || padded))
        return {};
    return {begin, end + 1 - begin, padded ? static_cast<unsigned>(width[1] - '0') : 0};
}

std::string numbered_name(std::string_view pattern, unsigned number) {
    const auto place = number_place(pattern);
    return fmt::format("{}{:0{}}{}", pattern.substr(0, place.begin), number, place.width,
                       pattern.substr(place.begin + place.size));
}

}  // namespace vprov::recipe
