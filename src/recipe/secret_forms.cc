#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <vector>

#include "base/text.h"
#include "recipe/charset.h"
#include "recipe/forms.h"

namespace vprov::recipe {
namespace {

struct HashMethod {
    std::string_view prefix;
    std::size_t parts;        // between '$', the empty one before the first counted
    std::size_t digest_size;  // characters of the last part
};

// crypt(5). The older methods ($1$, DES, $sha1$, $md5) are left out: they are guessed too fast to be worth writing.
constexpr std::array<HashMethod, 8> kMethods = {{{"$y$", 5, 43},
                                                 {"$gy$", 5, 43},
                                                 {"$7$", 4, 43},
                                                 {"$2b$", 4, 53},
                                                 {"$2a$", 4, 53},
                                                 {"$2y$", 4, 53},
                                                 {"$6$", 4, 86},
                                                 {"$5$", 4, 43}}};

constexpr std::array<std::string_view, 7> kKeyTypes = {"ssh-ed25519",
                                                       "ssh-rsa",
                                                       "ecdsa-sha2-nistp256",
                                                       "ecdsa-sha2-nistp384",
                                                       "ecdsa-sha2-nistp521",
                                                       "sk-ssh-ed25519@openssh.com",
                                                       "sk-ecdsa-sha2-nistp256@openssh.com"};

bool is_key_type(std::string_view word) {
    return std::find(kKeyTypes.begin(), kKeyTypes.end(), word) != kKeyTypes.end();
}

// The first field: blanks between double quotes belong to it.
std::string_view first_field(std::string_view line) {
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"' && (i == 0 || line[i - 1] != '\\'))
            quoted = !quoted;
        else if (!quoted && line[i] == ' ')
            return line.substr(0, i);
    }
    return line;
}

// An SSH key is strings, each after its length in four bytes, the first of them its type (RFC 4253, 6.6).
bool holds_key_of(std::string_view base64, std::string_view type) {
    if (base64.empty() || base64.size() % 4 != 0 || base64.size() > 16384)
        return false;
    std::vector<unsigned char> blob(base64.size() / 4 * 3);
    const auto size = EVP_DecodeBlock(blob.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                                      static_cast<int>(base64.size()));
    if (size < 0)
        return false;
    blob.resize(static_cast<std::size_t>(size) - (base64.ends_with("==") ? 2 : base64.ends_with('=') ? 1 : 0));
    std::size_t at = 0, strings = 0;
    while (blob.size() - at >= 4) {
        const auto length = std::uint32_t{blob[at]} << 24 | std::uint32_t{blob[at + 1]} << 16 |
                            std::uint32_t{blob[at + 2]} << 8 | blob[at + 3];
        at += 4;
        if (length > blob.size() - at)
            return false;
        const std::string_view string(reinterpret_cast<const char*>(blob.data()) + at, length);
        if (strings == 0 && string != type)
            return false;
        at += length;
        ++strings;
    }
    return at == blob.size() && strings >= 2;
}

}  // namespace

std::string flaw_of_password_hash(std::string_view hash) {
    for (const auto& method : kMethods) {
        if (!hash.starts_with(method.prefix))
            continue;
        auto parts = split(hash, '$');
        const bool has_rounds = parts.size() == method.parts + 1 && parts[2].starts_with("rounds=");
        if (has_rounds && (method.prefix == "$6$" || method.prefix == "$5$"))
            parts.erase(parts.begin() + 2);
        bool good = parts.size() == method.parts && parts.back().size() == method.digest_size;
        for (const auto part : parts) good = good && is_made_of(part, "./");
        return good ? "" : "it starts as a hash of crypt(5) but does not go on as one; was it cut?";
    }
    return "a hash of crypt(5) is wanted ($y$, $gy$, $7$, $2b$, $6$ or $5$), as mkpasswd(1) makes it";
}

std::string flaw_of_authorized_key(std::string_view line) {
    if (!flaw_of_line(line).empty())
        return "one line is wanted, without control characters";
    auto rest = trimmed(line);
    auto type = first_field(rest);
    if (!is_key_type(type)) {  // options come first
        rest = trimmed(rest.substr(type.size()));
        type = first_field(rest);
    }
    if (!is_key_type(type))
        return "a line of authorized_keys is wanted, as in 'ssh-ed25519 AAAA... name'";
    const auto key = first_field(trimmed(rest.substr(type.size())));
    return holds_key_of(key, type) ? "" : fmt::format("what follows '{}' is no such key; was it cut?", type);
}

}  // namespace vprov::recipe
