// Sizes with their unit in the type. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vprov {

struct Bytes {
    std::uint64_t value = 0;
    auto operator<=>(const Bytes&) const = default;
    Bytes operator+(Bytes other) const { return {value + other.value}; }
    Bytes& operator+=(Bytes other) {
        value += other.value;
        return *this;
    }
};

constexpr Bytes operator""_KiB(unsigned long long n) {
    return {n << 10};
}
constexpr Bytes operator""_MiB(unsigned long long n) {
    return {n << 20};
}
constexpr Bytes operator""_GiB(unsigned long long n) {
    return {n << 30};
}

// "512", "64K", "512M", "2G", "1T": powers of 1024, a decimal integer before the letter; nullopt for anything
// else, and for what does not fit in 63 bits.
std::optional<Bytes> parse_bytes(std::string_view text);

std::string exact(Bytes size);  // shortest form that parse_bytes() reads back: "2G", "1536M", "1000"
std::string human(Bytes size);  // for people: "84.2 MB" (decimal, as apt prints download sizes), "312 kB", "97 B"

}  // namespace vprov
