// UUIDs that are chosen, not drawn. Pure.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vprov {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const Uuid&) const = default;
    std::string text() const;  // 8-4-4-4-12, lower case

    // 8-4-4-4-12 hexadecimal digits of either case; nullopt for anything else.
    static std::optional<Uuid> parse(std::string_view text);

    // The same (seed, role) gives the same UUID on every machine. Version 8 of RFC 9562 (a vendor's own scheme).
    static Uuid derived(std::string_view seed, std::string_view role);
};

}  // namespace vprov
