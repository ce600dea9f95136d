#include "config-render/host_key_pair.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>

#include "base/base64.h"
#include "base/error.h"
#include "base/text.h"
#include "config-render/rsa_key.h"
#include "os/interrupt.h"

namespace vprov::render {
namespace {

constexpr unsigned kRsaBits = 3072;
constexpr int kDsaBits = 1024, kDsaSubgroupBits = 160;
constexpr std::size_t kEd25519 = 32, kBlock = 8, kPemLine = 70;
constexpr int kNice = 10;

template <class T, void (*release)(T*)>
struct Release {
    void operator()(T* object) const { release(object); }
};
using Generator = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Release<BIGNUM, BN_clear_free>>;

void check(bool succeeded) {
    if (!succeeded)
        throw error(ErrorKind::internal, "cannot make an SSH host key: {}",
                    ERR_reason_error_string(ERR_peek_last_error()) ? ERR_reason_error_string(ERR_peek_last_error())
                                                                   : "libcrypto refuses");
}

Key generated(const Generator& generator) {
    EVP_PKEY* key = nullptr;
    check(EVP_PKEY_keygen(generator.get(), &key) == 1);
    return Key(key);
}

Generator generator_of(const char* algorithm) {
    Generator generator(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
    check(generator && EVP_PKEY_keygen_init(generator.get()) == 1);
    return generator;
}

Key new_dsa_key() {
    const Generator parameters(EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr));
    EVP_PKEY* made = nullptr;
    check(parameters && EVP_PKEY_paramgen_init(parameters.get()) == 1 &&
          EVP_PKEY_CTX_set_dsa_paramgen_bits(parameters.get(), kDsaBits) == 1 &&
          EVP_PKEY_CTX_set_dsa_paramgen_q_bits(parameters.get(), kDsaSubgroupBits) == 1 &&
          EVP_PKEY_paramgen(parameters.get(), &made) == 1);
    const Key domain(made);
    const Generator generator(EVP_PKEY_CTX_new_from_pkey(nullptr, domain.get(), nullptr));
    check(generator && EVP_PKEY_keygen_init(generator.get()) == 1);
    return generated(generator);
}

Key new_key(KeyAlgorithm type) {
    if (type == KeyAlgorithm::dsa)
        return new_dsa_key();
    if (type == KeyAlgorithm::ed25519)
        return generated(generator_of("ED25519"));
    if (type == KeyAlgorithm::rsa)
        return make_rsa_key(kRsaBits);
    const auto generator = generator_of("EC");
    check(EVP_PKEY_CTX_set_group_name(generator.get(), "P-256") == 1);
    return generated(generator);
}

// RFC 4251, 5: lengths of four bytes before what they measure, numbers with a leading zero where the sign bit is set.
class Wire {
  public:
    Wire& number32(std::uint32_t value) {
        for (int shift = 24; shift >= 0; shift -= 8) bytes_ += static_cast<char>(value >> shift & 0xff);
        return *this;
    }
    Wire& text(std::string_view value) {
        number32(static_cast<std::uint32_t>(value.size()));
        bytes_ += value;
        return *this;
    }
    Wire& number(const Key& key, const char* name) {
        BIGNUM* found = nullptr;
        check(EVP_PKEY_get_bn_param(key.get(), name, &found) == 1);
        const Number value(found);
        std::string magnitude(static_cast<std::size_t>(BN_num_bytes(value.get())), '\0');
        BN_bn2bin(value.get(), reinterpret_cast<unsigned char*>(magnitude.data()));
        if (!magnitude.empty() && (magnitude[0] & 0x80) != 0)
            magnitude.insert(0, 1, '\0');
        return text(magnitude);
    }
    Wire& append(std::string_view raw) {
        bytes_ += raw;
        return *this;
    }
    const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
};

std::string octets(const Key& key, const char* name) {
    std::array<unsigned char, 256> buffer{};
    std::size_t size = 0;
    check(EVP_PKEY_get_octet_string_param(key.get(), name, buffer.data(), buffer.size(), &size) == 1);
    return {reinterpret_cast<const char*>(buffer.data()), size};
}

// The uncompressed point: libcrypto's public key parameter may be the compressed one.
std::string point_of(const Key& key) {
    unsigned char* encoded = nullptr;
    const auto size = EVP_PKEY_get1_encoded_public_key(key.get(), &encoded);
    check(size > 0);
    std::string point(reinterpret_cast<const char*>(encoded), size);
    OPENSSL_free(encoded);
    return point;
}

// RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709, 4.
std::string public_blob(KeyAlgorithm type, const Key& key) {
    Wire wire;
    switch (type) {
        case KeyAlgorithm::rsa:
            wire.text("ssh-rsa").number(key, OSSL_PKEY_PARAM_RSA_E).number(key, OSSL_PKEY_PARAM_RSA_N);
            break;
        case KeyAlgorithm::dsa:
            wire.text("ssh-dss").number(key, OSSL_PKEY_PARAM_FFC_P).number(key, OSSL_PKEY_PARAM_FFC_Q);
            wire.number(key, OSSL_PKEY_PARAM_FFC_G).number(key, OSSL_PKEY_PARAM_PUB_KEY);
            break;
        case KeyAlgorithm::ecdsa:
            wire.text("ecdsa-sha2-nistp256").text("nistp256").text(point_of(key));
            break;
        case KeyAlgorithm::ed25519:
            wire.text("ssh-ed25519").text(octets(key, OSSL_PKEY_PARAM_PUB_KEY));
            break;
    }
    return wire.bytes();
}

std::string private_fields(KeyAlgorithm type, const Key& key) {
    Wire wire;
    switch (type) {
        case KeyAlgorithm::rsa:
            wire.text("ssh-rsa").number(key, OSSL_PKEY_PARAM_RSA_N).number(key, OSSL_PKEY_PARAM_RSA_E);
            wire.number(key, OSSL_PKEY_PARAM_RSA_D).number(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
            wire.number(key, OSSL_PKEY_PARAM_RSA_FACTOR1).number(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
            break;
        case KeyAlgorithm::dsa:
        case KeyAlgorithm::ecdsa:
            wire.append(public_blob(type, key)).number(key, OSSL_PKEY_PARAM_PRIV_KEY);
            break;
        case KeyAlgorithm::ed25519: {
            const auto open = octets(key, OSSL_PKEY_PARAM_PUB_KEY);
            auto secret = octets(key, OSSL_PKEY_PARAM_PRIV_KEY);
            secret.resize(kEd25519);
            wire.text("ssh-ed25519").text(open).text(secret + open);
            break;
        }
    }
    return wire.bytes();
}

std::string openssh_file(KeyAlgorithm type, const Key& key, std::string_view comment) {
    std::uint32_t guard = 0;  // twice: tells a reader of encrypted keys whether the passphrase was right
    check(RAND_bytes(reinterpret_cast<unsigned char*>(&guard), sizeof guard) == 1);
    Wire secret;
    secret.number32(guard).number32(guard).append(private_fields(type, key)).text(comment);
    for (char padding = 1; secret.bytes().size() % kBlock != 0; ++padding) secret.append({&padding, 1});
    Wire file;
    file.append(std::string_view("openssh-key-v1\0", 15)).text("none").text("none").text("").number32(1);
    file.text(public_blob(type, key)).text(secret.bytes());
    const auto text = encode_base64(file.bytes());
    std::string lines = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    for (std::size_t place = 0; place < text.size(); place += kPemLine) lines += text.substr(place, kPemLine) + "\n";
    return lines + "-----END OPENSSH PRIVATE KEY-----\n";
}

std::string pem_file(const Key& key) {
    const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_secmem()), BIO_free);
    check(memory &&
          PEM_write_bio_PrivateKey_traditional(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string_view public_name(KeyAlgorithm type) {
    constexpr std::array<std::string_view, 4> kNames = {"ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519", "ssh-dss"};
    return kNames.at(static_cast<std::size_t>(type));
}

}  // namespace

std::optional<KeyAlgorithm> key_algorithm(std::string_view name) {
    if (name == "rsa")
        return KeyAlgorithm::rsa;
    if (name == "ecdsa")
        return KeyAlgorithm::ecdsa;
    if (name == "ed25519")
        return KeyAlgorithm::ed25519;
    return name == "dsa" ? std::optional(KeyAlgorithm::dsa) : std::nullopt;
}

HostKeyPair make_host_key(KeyAlgorithm type, PrivateKeyFormat format, std::string_view comment) {
    const auto key = new_key(type);
    const bool pem = format == PrivateKeyFormat::pem && type != KeyAlgorithm::ed25519;
    return {pem ? pem_file(key) : openssh_file(type, key, comment),
            fmt::format("{} {} {}\n", public_name(type), encode_base64(public_blob(type, key)), comment)};
}

EarlyHostKey::EarlyHostKey(KeyAlgorithm type, PrivateKeyFormat format, std::string comment, Haste haste)
    : thread_([this, type, format, comment = std::move(comment), haste] {
          if (haste == Haste::later)
              ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
          try {
              promise_.set_value(make_host_key(type, format, comment));
          } catch (...) {
              promise_.set_exception(std::current_exception());
          }
      }) {}

HostKeyPair EarlyHostKey::take() {
    while (key_.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) os::check_stop();
    return key_.get();
}

}  // namespace vprov::render
