// Digests of bytes. Pure (libcrypto does the arithmetic).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vprov {

struct Sha256Digest {
    std::array<std::uint8_t, 32> bytes{};
    auto operator<=>(const Sha256Digest&) const = default;
    std::string hex() const;                                            // 64 lower-case digits
    static std::optional<Sha256Digest> from_hex(std::string_view hex);  // either case; nullopt unless 64 digits
};

enum class DigestKind { md5, sha1, sha256 };

// Feeds bytes in any portions. After hex() or sha256() the hasher is spent.
class Hasher {
  public:
    explicit Hasher(DigestKind kind);
    ~Hasher();
    Hasher(Hasher&&) noexcept;
    Hasher& operator=(Hasher&&) noexcept;
    void update(const void* data, std::size_t size);
    void update(std::string_view text) { update(text.data(), text.size()); }
    std::string hex();
    Sha256Digest sha256();  // only for DigestKind::sha256

  private:
    struct State;
    std::unique_ptr<State> state_;
};

Sha256Digest sha256(std::string_view text);
std::string hex_digest(DigestKind kind, std::string_view text);
std::string md5_hex(std::string_view text);  // dpkg's md5sums and Conffiles; never a proof of anything

}  // namespace vprov
