// Sets of ASCII characters, written as one reads them. Pure.
#pragma once

#include <algorithm>
#include <string_view>

namespace vprov::recipe {

constexpr bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_alphanumeric(char c) {
    return is_lower(c) || is_upper(c) || is_digit(c);
}
constexpr bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
constexpr bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Letters, digits, and what stands in `others`.
inline bool is_made_of(std::string_view text, std::string_view others) {
    return std::all_of(text.begin(), text.end(),
                       [others](char c) { return is_alphanumeric(c) || others.find(c) != std::string_view::npos; });
}

inline bool has_upper(std::string_view text) {
    return std::any_of(text.begin(), text.end(), is_upper);
}

}  // namespace vprov::recipe
