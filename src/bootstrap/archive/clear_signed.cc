#include "bootstrap/archive/clear_signed.h"

#include <array>
#include <cstdint>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace vprov::archive {
namespace {

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

}  // namespace

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
