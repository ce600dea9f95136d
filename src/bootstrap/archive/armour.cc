#include "bootstrap/archive/armour.h"

#include <array>
#include <cstdint>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace vprov::archive {
namespace {

constexpr std::string_view kKeyBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view kKeyEnd = "-----END PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view kMessageBegin = "-----BEGIN PGP SIGNED MESSAGE-----";
constexpr std::string_view kSignatureBegin = "-----BEGIN PGP SIGNATURE-----";
constexpr std::string_view kSignatureEnd = "-----END PGP SIGNATURE-----";

// Takes lines off a text, without their newline and blanks at the end.
struct Lines {
    std::string_view rest;
    std::optional<std::string_view> next() {
        if (rest.empty())
            return std::nullopt;
        const auto end = rest.find('\n');
        auto line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
            line.remove_suffix(1);
        return line;
    }
};

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

// After the BEGIN line: headers up to an empty line, base64, "=CRC", the END line.
std::string read_block(Lines& lines) {
    while (const auto header = lines.next())
        if (header->empty())
            break;
    std::string encoded, sum;
    while (const auto line = lines.next()) {
        if (*line == kKeyEnd) {
            auto block = decode_base64(encoded);
            if (!sum.empty())
                check_sum(block, sum);
            return block;
        }
        if (line->starts_with("="))
            sum = line->substr(1);
        else
            encoded += *line;
    }
    throw bad_keyring("it ends within a block");
}

}  // namespace

bool is_armoured_keyring(std::string_view data) {
    return data.find(kKeyBegin) != std::string_view::npos;
}

std::string dearmour(std::string_view text) {
    std::string keys;
    Lines lines{text};
    while (const auto line = lines.next())
        if (*line == kKeyBegin)
            keys += read_block(lines);
    return keys;
}

void check_clear_signed(std::string_view data) {
    Lines lines{data};
    if (lines.next() != kMessageBegin) {
        if (data.find(kMessageBegin) == std::string_view::npos)
            throw error(ErrorKind::archive, "it is not signed");
        throw error(ErrorKind::archive, "there is text before its signed block");
    }
    bool in_signature = false;
    while (const auto line = lines.next()) {
        if (*line == kMessageBegin)
            throw error(ErrorKind::archive, "it has more than one signed block");
        if (*line == kSignatureBegin) {
            if (in_signature)
                throw error(ErrorKind::archive, "it has more than one signature block");
            in_signature = true;
        } else if (in_signature && *line == kSignatureEnd) {
            if (!lines.rest.empty())
                throw error(ErrorKind::archive, "there is text after its signed block");
            return;
        }
    }
    throw error(ErrorKind::archive, "its signed block has no end");
}

std::string clear_text(std::string_view data) {
    std::string text;
    Lines lines{data};
    while (const auto header = lines.next())
        if (header->empty())
            break;
    while (const auto line = lines.next()) {
        if (*line == kSignatureBegin)
            break;
        text += line->starts_with("- ") ? line->substr(2) : *line;
        text += '\n';
    }
    return text;
}

}  // namespace vprov::archive
