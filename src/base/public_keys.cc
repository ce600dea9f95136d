#include "base/public_keys.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace vprov {
namespace {

constexpr std::string_view kKeyBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view kKeyEnd = "-----END PGP PUBLIC KEY BLOCK-----";

using Lines = std::span<const std::string_view>;

Error bad_keyring(std::string_view why) {
    return error(ErrorKind::archive, "cannot read the armoured keyring: {}", why);
}

int base64_value(char c) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto at = kAlphabet.find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::string decode_base64(std::string_view text) {
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    while (!text.empty() && text.back() == '=') text.remove_suffix(1);
    for (const char c : text) {
        const int value = base64_value(c);
        if (value < 0)
            throw bad_keyring(fmt::format("{} is not base64", quote(std::string_view(&c, 1))));
        bits = (bits << 6) | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<char>((bits >> count) & 0xff));
        }
    }
    return out;
}

std::uint32_t crc24(std::string_view data) {  // RFC 4880, 6.1
    std::uint32_t crc = 0xB704CE;
    for (const char c : data) {
        crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 16;
        for (int bit = 0; bit < 8; ++bit) {
            crc <<= 1;
            if (crc & 0x1000000)
                crc ^= 0x1864CFB;
        }
    }
    return crc & 0xFFFFFF;
}

void check_sum(std::string_view block, std::string_view sum) {
    const auto bytes = decode_base64(sum);
    std::uint32_t expected = 0;
    for (const char c : bytes) expected = (expected << 8) | static_cast<unsigned char>(c);
    if (bytes.size() != 3 || expected != crc24(block))
        throw bad_keyring("its checksum is wrong");
}

// Takes a block off `lines`, from after its BEGIN line: headers up to an empty line, base64, "=CRC", the END line.
std::string take_block(Lines& lines) {
    const auto next = [&] {
        const auto line = trimmed(lines.front());
        lines = lines.subspan(1);
        return line;
    };
    while (!lines.empty() && !next().empty()) {
    }
    std::string encoded, sum;
    while (!lines.empty()) {
        const auto line = next();
        if (line == kKeyEnd) {
            auto block = decode_base64(encoded);
            if (!sum.empty())
                check_sum(block, sum);
            return block;
        }
        if (line.starts_with("="))
            sum = line.substr(1);
        else
            encoded += line;
    }
    throw bad_keyring("it ends within a block");
}

struct Packet {
    unsigned tag = 0;
    std::string_view body;
};

std::uint32_t number(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char c : bytes) value = (value << 8) | static_cast<unsigned char>(c);
    return value;
}

// How many octets stand for a packet's length after its tag, and whether the first of them counts (RFC 4880, 4.2).
// Partial and indeterminate lengths are for data, not for keys.
std::optional<std::size_t> length_octets(unsigned tag_octet, std::string_view rest) {
    if (!(tag_octet & 0x40)) {
        constexpr std::array<std::size_t, 3> kOld = {1, 2, 4};
        const auto type = tag_octet & 3;
        return type < kOld.size() ? std::optional(kOld[type]) : std::nullopt;
    }
    if (rest.empty())
        return std::nullopt;
    const auto first = static_cast<unsigned char>(rest[0]);
    if (first == 255)
        return 5;
    return first < 192 ? std::optional<std::size_t>(1) : first < 224 ? std::optional<std::size_t>(2) : std::nullopt;
}

std::size_t length_of(unsigned tag_octet, std::string_view octets) {
    if (!(tag_octet & 0x40) || octets.size() == 1)
        return number(octets);
    return octets.size() == 5 ? number(octets.substr(1)) : number(octets) - (192U << 8) + 192;
}

// Takes a packet off `keys`; nullopt at the end and at what is none.
std::optional<Packet> take_packet(std::string_view& keys) {
    if (keys.empty() || !(keys[0] & 0x80))
        return std::nullopt;
    const auto tag_octet = static_cast<unsigned char>(keys[0]);
    const auto octets = length_octets(tag_octet, keys.substr(1));
    if (!octets || keys.size() < 1 + *octets)
        return std::nullopt;
    const auto length = length_of(tag_octet, keys.substr(1, *octets));
    keys.remove_prefix(1 + *octets);
    if (length > keys.size())
        return std::nullopt;
    const Packet packet{tag_octet & 0x40 ? tag_octet & 0x3fU : (tag_octet >> 2) & 0xfU, keys.substr(0, length)};
    keys.remove_prefix(length);
    return packet;
}

std::vector<std::string_view> primary_keys(std::string_view keyring) {
    constexpr unsigned kPublicKey = 6;
    std::vector<std::string_view> keys;
    while (const auto packet = take_packet(keyring))
        if (packet->tag == kPublicKey)
            keys.push_back(packet->body);
    return keys;
}

}  // namespace

bool is_armoured_keyring(std::string_view data) {
    return data.find(kKeyBegin) != std::string_view::npos;
}

std::string dearmour(std::string_view text) {
    std::string keys;
    const auto all = split(text, '\n');
    for (Lines lines = all; !lines.empty();) {
        const bool begins = trimmed(lines.front()) == kKeyBegin;
        lines = lines.subspan(1);
        if (begins)
            keys += take_block(lines);
    }
    return keys;
}

bool share_a_key(std::string_view keyring, std::string_view other) {
    const auto keys = primary_keys(keyring), others = primary_keys(other);
    return std::any_of(keys.begin(), keys.end(), [&](std::string_view key) {
        return std::find(others.begin(), others.end(), key) != others.end();
    });
}

}  // namespace vprov
