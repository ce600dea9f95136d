#include "bootstrap/deb/version.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace vprov::deb {
namespace {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A tilde sorts before the end of the text, that before letters, and letters before all else.
constexpr int weight(char c) {
    if (c == '~')
        return -1;
    if (is_letter(c))
        return static_cast<unsigned char>(c);
    return static_cast<unsigned char>(c) + 256;
}

std::string_view take_digits(std::string_view& text) {
    std::size_t end = 0;
    while (end < text.size() && is_digit(text[end])) ++end;
    auto digits = text.substr(0, end);
    text.remove_prefix(end);
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    return digits;
}

int next_weight(std::string_view text) {
    return text.empty() || is_digit(text.front()) ? 0 : weight(text.front());
}

std::strong_ordering compare_part(std::string_view a, std::string_view b) {
    while (!a.empty() || !b.empty()) {
        for (;;) {
            const auto weight_a = next_weight(a);
            const auto weight_b = next_weight(b);
            if (weight_a != weight_b)
                return weight_a <=> weight_b;
            if (weight_a == 0)
                break;
            a.remove_prefix(1);
            b.remove_prefix(1);
        }
        const auto number_a = take_digits(a);
        const auto number_b = take_digits(b);
        if (number_a.size() != number_b.size())
            return number_a.size() <=> number_b.size();
        if (const auto order = number_a <=> number_b; order != 0)
            return order;
    }
    return std::strong_ordering::equal;
}

}  // namespace

VersionParts version_parts(std::string_view version) {
    VersionParts parts;
    if (const auto colon = version.find(':'); colon != std::string_view::npos) {
        parts.epoch = version.substr(0, colon);
        version.remove_prefix(colon + 1);
    }
    if (const auto dash = version.rfind('-'); dash != std::string_view::npos) {
        parts.revision = version.substr(dash + 1);
        version = version.substr(0, dash);
    }
    parts.upstream = version;
    return parts;
}

bool is_version(std::string_view text) {
    const auto parts = version_parts(text);
    if (parts.upstream.empty() || (text.ends_with('-')) || text.starts_with(':'))
        return false;
    if (!parts.epoch.empty()) {
        std::int32_t epoch = 0;
        const auto* end = parts.epoch.data() + parts.epoch.size();
        const auto [stop, failure] = std::from_chars(parts.epoch.data(), end, epoch);
        if (failure != std::errc{} || stop != end || epoch < 0)
            return false;
    }
    return std::all_of(text.begin(), text.end(), [](char c) {
        return is_digit(c) || is_letter(c) || c == '.' || c == '+' || c == '-' || c == '~' || c == ':';
    });
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
    if (a == b)
        return std::strong_ordering::equal;
    const auto parts_a = version_parts(a);
    const auto parts_b = version_parts(b);
    if (const auto order = compare_part(parts_a.epoch, parts_b.epoch); order != 0)
        return order;
    if (const auto order = compare_part(parts_a.upstream, parts_b.upstream); order != 0)
        return order;
    return compare_part(parts_a.revision, parts_b.revision);
}

}  // namespace vprov::deb
