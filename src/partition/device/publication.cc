#include "partition/device/publication.h"

#include <sys/stat.h>

#include <cctype>
#include <cerrno>
#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace vprov::partition {
namespace {

constexpr std::string_view kMark = "vprov.unfinished:";
constexpr std::string_view kPlain = "_+.-/";  // besides letters and digits; lvm(8), "VALID NAMES" has more

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80 && (std::isalnum(byte) != 0 || kPlain.find(c) != std::string_view::npos))
            out += c;
        else
            out += fmt::format("={:02x}", byte);
    }
    return out;
}

std::optional<std::string> unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out += text[i];
            continue;
        }
        unsigned byte = 0;
        const auto digits = text.substr(i + 1, 2);
        if (digits.size() != 2 || std::from_chars(digits.data(), digits.data() + 2, byte, 16).ptr != digits.data() + 2)
            return std::nullopt;
        out += static_cast<char>(byte);
        i += 2;
    }
    return out;
}

}  // namespace

Publication Publication::of(const std::filesystem::path& unpublished, const std::filesystem::path& output) {
    struct stat status {};
    if (::stat(unpublished.c_str(), &status) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot find " + quote(unpublished.native()));
    return {std::filesystem::absolute(output), status.st_ino};
}

std::string Publication::text() const {
    return fmt::format("{}{}:{}", kMark, inode, escaped(output.native()));
}

std::optional<Publication> Publication::parse(std::string_view text) {
    if (!text.starts_with(kMark))
        return std::nullopt;
    text.remove_prefix(kMark.size());
    ino_t inode = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), inode);
    const auto rest = text.substr(static_cast<std::size_t>(end - text.data()));
    if (failure != std::errc() || !rest.starts_with(':'))
        return std::nullopt;
    const auto path = unescaped(rest.substr(1));
    if (!path || path->empty())
        return std::nullopt;
    return Publication{*path, inode};
}

bool Publication::has_happened() const {
    struct stat status {};
    return ::lstat(output.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_ino == inode;
}

}  // namespace vprov::partition
