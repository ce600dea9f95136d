#include "base/uuid.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"

namespace vprov {

std::string Uuid::text() const {
    const auto& b = bytes;
    return fmt::format(
        "{:02x}{:02x}{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}", b[0],
        b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    Uuid uuid;
    std::size_t digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        const auto value = std::string_view("0123456789abcdef").find(static_cast<char>(text[i] | 0x20));
        if (is_dash != (text[i] == '-') || (!is_dash && value == std::string_view::npos) || digits == 32)
            return std::nullopt;
        if (is_dash)
            continue;
        auto& byte = uuid.bytes[digits++ / 2];
        byte = static_cast<std::uint8_t>(byte << 4 | value);
    }
    return digits == 32 ? std::optional(uuid) : std::nullopt;
}

Uuid Uuid::derived(std::string_view seed, std::string_view role) {
    const auto digest = sha256(fmt::format("vprov uuid\n{}\n{}\n", seed, role));
    Uuid uuid;
    std::copy_n(digest.bytes.begin(), uuid.bytes.size(), uuid.bytes.begin());
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x80);
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

}  // namespace vprov
