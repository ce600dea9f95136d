// The kernel's random numbers.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace vprov::os {

void fill_with_random(std::span<std::byte> bytes);  // throws Error(internal) when the kernel gives none
std::string random_hex(std::size_t bytes);          // two digits a byte
std::string random_uuid();                          // version 4 of RFC 9562

}  // namespace vprov::os
