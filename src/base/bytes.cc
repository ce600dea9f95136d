#include "base/bytes.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace vprov {

std::optional<Bytes> parse_bytes(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end == text.data())
        return std::nullopt;
    const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
    if (unit.empty())
        return Bytes{number};
    constexpr std::string_view kUnits = "KMGT";
    const auto place = unit.size() == 1 ? kUnits.find(unit[0]) : std::string_view::npos;
    if (place == std::string_view::npos)
        return std::nullopt;
    const auto shift = 10 * (place + 1);
    if (number > (std::uint64_t{1} << (63 - shift)) - 1)
        return std::nullopt;
    return Bytes{number << shift};
}

std::string exact(Bytes size) {
    constexpr std::array<char, 4> kUnits = {'K', 'M', 'G', 'T'};
    auto value = size.value;
    int unit = -1;
    while (value != 0 && value % 1024 == 0 && unit < 3) {
        value /= 1024;
        ++unit;
    }
    return unit < 0 ? fmt::format("{}", value) : fmt::format("{}{}", value, kUnits[static_cast<std::size_t>(unit)]);
}

std::string human(Bytes size) {
    constexpr std::array<std::string_view, 4> kUnits = {"kB", "MB", "GB", "TB"};
    if (size.value < 1000)
        return fmt::format("{} B", size.value);
    double value = static_cast<double>(size.value) / 1000;
    std::size_t unit = 0;
    while (value >= 999.95 && unit + 1 < kUnits.size()) {
        value /= 1000;
        ++unit;
    }
    return fmt::format("{:.{}f} {}", value, value < 99.95 ? 1 : 0, kUnits[unit]);
}

}  // namespace vprov
