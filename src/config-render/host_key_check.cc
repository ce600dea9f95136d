#include "config-render/host_key_check.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <optional>
#include <string>

#include "base/text.h"
#include "config-render/ssh_host_keys.h"

namespace vprov::render {
namespace {

constexpr std::string_view kBegin = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
constexpr std::string_view kEnd = "-----END OPENSSH PRIVATE KEY-----\n";
constexpr std::string_view kMagic("openssh-key-v1\0", 15);
constexpr std::size_t kLineLength = 70, kBlock = 8;

std::optional<std::string> decoded(std::string_view base64) {
    if (base64.empty() || base64.size() % 4 != 0)
        return std::nullopt;
    std::string bytes(base64.size() / 4 * 3, '\0');
    if (::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                          reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size())) < 0)
        return std::nullopt;
    bytes.resize(bytes.size() - (base64.ends_with("==") ? 2 : base64.ends_with('=') ? 1 : 0));
    return bytes;
}

// RFC 4251, 5.
std::string text_of(std::string_view bytes) {
    std::string text;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) text += static_cast<char>(bytes.size() >> shift & 0xff);
    return text.append(bytes);
}

// The base64 of a file in lines of 70; nullopt for another layout.
std::optional<std::string> unwrapped(std::string_view file) {
    if (!file.starts_with(kBegin) || !file.ends_with(kEnd) || file.size() < kBegin.size() + kEnd.size())
        return std::nullopt;
    file.remove_prefix(kBegin.size());
    file.remove_suffix(kEnd.size());
    std::string base64;
    while (!file.empty()) {
        const auto end = file.find('\n');
        if (end == std::string_view::npos || end == 0 || end > kLineLength ||
            (end < kLineLength && end + 1 != file.size()))
            return std::nullopt;
        base64 += file.substr(0, end);
        file.remove_prefix(end + 1);
    }
    return base64;
}

bool is_padded(std::string_view padding) {
    for (std::size_t i = 0; i < padding.size(); ++i)
        if (static_cast<std::size_t>(padding[i]) != i + 1)
            return false;
    return padding.size() < kBlock;
}

// PROTOCOL.key of OpenSSH: the public key, then the secret part, which begins with its type and ends with the comment.
bool belongs_to(std::string_view file, std::string_view type, std::string_view public_blob, std::string_view comment) {
    const auto base64 = unwrapped(file);
    const auto bytes = base64 ? decoded(*base64) : std::nullopt;
    const auto head = std::string(kMagic) + text_of("none") + text_of("none") + text_of("") +
                      std::string("\0\0\0\1", 4) + text_of(public_blob);
    if (!bytes || !bytes->starts_with(head) || bytes->size() < head.size() + 4)
        return false;
    const auto secret = std::string_view(*bytes).substr(head.size() + 4);
    const auto end = secret.rfind(text_of(comment));
    return std::string_view(*bytes).substr(head.size()) == text_of(secret) && secret.size() % kBlock == 0 &&
           secret.size() > kBlock && secret.substr(0, 4) == secret.substr(4, 4) &&
           secret.substr(8).starts_with(text_of(type)) && end != std::string_view::npos &&
           is_padded(secret.substr(end + text_of(comment).size()));
}

bool is_pem(const std::string& file) {
    const std::unique_ptr<BIO, int (*)(BIO*)> source(::BIO_new_mem_buf(file.data(), static_cast<int>(file.size())),
                                                     ::BIO_free);
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
        source ? ::PEM_read_bio_PrivateKey(source.get(), nullptr, nullptr, const_cast<char*>("")) : nullptr,
        ::EVP_PKEY_free);
    return key && file.starts_with("-----BEGIN ") && file.ends_with("-----\n") && ::BIO_ctrl_pending(source.get()) == 0;
}

}  // namespace

bool is_host_key_pair(const HostKeyPair& pair, std::string_view comment) {
    const auto words = split_words(pair.public_key);
    if (words.size() < 3 || !read_public_key(pair.public_key) ||
        pair.public_key != fmt::format("{} {} {}\n", words[0], words[1], comment))
        return false;
    return belongs_to(pair.private_key, words[0], decoded(words[1]).value_or(""), comment) || is_pem(pair.private_key);
}

}  // namespace vprov::render
