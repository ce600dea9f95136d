#include "base/digest.h"

#include <openssl/evp.h>

#include "base/error.h"

namespace vprov {
namespace {

std::string to_hex(const std::uint8_t* bytes, std::size_t size) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out(size * 2, '0');
    for (std::size_t i = 0; i < size; ++i) {
        out[2 * i] = kDigits[bytes[i] >> 4];
        out[2 * i + 1] = kDigits[bytes[i] & 15];
    }
    return out;
}

// A table: package indices hold a digest per package, and reading them is on the way of every build.
constexpr std::array<std::int8_t, 256> make_hex_values() {
    std::array<std::int8_t, 256> values{};
    for (auto& value : values) value = -1;
    for (std::size_t i = 0; i < 10; ++i) values['0' + i] = static_cast<std::int8_t>(i);
    for (std::size_t i = 0; i < 6; ++i) {
        values['a' + i] = static_cast<std::int8_t>(10 + i);
        values['A' + i] = static_cast<std::int8_t>(10 + i);
    }
    return values;
}
constexpr auto kHexValues = make_hex_values();

int hex_value(char c) { return kHexValues[static_cast<unsigned char>(c)]; }

const EVP_MD* algorithm_of(DigestKind kind) {
    switch (kind) {
        case DigestKind::md5:
            return EVP_md5();
        case DigestKind::sha1:
            return EVP_sha1();
        case DigestKind::sha256:
            break;
    }
    return EVP_sha256();
}

}  // namespace

std::string Sha256Digest::hex() const {
    return to_hex(bytes.data(), bytes.size());
}

std::optional<Sha256Digest> Sha256Digest::from_hex(std::string_view hex) {
    Sha256Digest digest;
    if (hex.size() != 2 * digest.bytes.size())
        return std::nullopt;
    for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
        const int high = hex_value(hex[2 * i]);
        const int low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return std::nullopt;
        digest.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return digest;
}

struct Hasher::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher(DigestKind kind) : state_(std::make_unique<State>()) {
    if (!state_->context ||
        !EVP_DigestInit_ex(state_->context, algorithm_of(kind), nullptr))
        throw error(ErrorKind::internal, "internal error: cannot start a digest");
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(const void* data, std::size_t size) {
    EVP_DigestUpdate(state_->context, data, size);
}

std::string Hasher::hex() {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    EVP_DigestFinal_ex(state_->context, out.data(), &size);
    return to_hex(out.data(), size);
}

Sha256Digest Hasher::sha256() {
    Sha256Digest digest;
    unsigned size = 0;
    EVP_DigestFinal_ex(state_->context, digest.bytes.data(), &size);
    return digest;
}

Sha256Digest sha256(std::string_view text) {
    Hasher hasher(DigestKind::sha256);
    hasher.update(text);
    return hasher.sha256();
}

std::string hex_digest(DigestKind kind, std::string_view text) {
    Hasher hasher(kind);
    hasher.update(text);
    return hasher.hex();
}

std::string md5_hex(std::string_view text) {
    return hex_digest(DigestKind::md5, text);
}

}  // namespace vprov
