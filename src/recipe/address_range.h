// The addresses and names that numbered guests get. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "recipe/address.h"

namespace vprov::recipe {

// Machines of one network: "192.0.2.0/24" without the network's own address and broadcast, or those that are named:
// "192.0.2.10-192.0.2.99/24".
struct AddressRange {
    Address first, last;
    unsigned prefix = 0;
};
std::optional<AddressRange> parse_address_range(std::string_view text);

// The one after it; the last of all is followed by the first.
Address next_address(Address address);
std::string text_of(const Address& address);
bool is_after(const Address& a, const Address& b);

// "00:16:3e:00:00:ff" and 1 give "00:16:3e:00:01:00"; only the last three bytes count up.
std::string mac_after(std::string_view mac, std::uint32_t steps);

// Where the number goes in "web%02d": the place of "%02d"; size 0 where there is none or more than one.
struct NumberPlace {
    std::size_t begin = 0, size = 0;
    unsigned width = 0;
};
NumberPlace number_place(std::string_view pattern);
std::string numbered_name(std::string_view pattern, unsigned number);  // of a pattern with one place

}  // namespace vprov::recipe
