#include "config-render/rsa_key.h"

#include <nettle/rsa.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "base/error.h"

namespace vprov::render {
namespace {

constexpr unsigned kExponent = 65537;

struct Numbers {
    Numbers() {
        rsa_public_key_init(&open);
        rsa_private_key_init(&secret);
        mpz_set_ui(open.e, kExponent);
    }
    ~Numbers() {
        rsa_private_key_clear(&secret);
        rsa_public_key_clear(&open);
    }
    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;

    rsa_public_key open{};
    rsa_private_key secret{};
};

// Called from C, which no exception may cross. getentropy(3) fails where the kernel has no random numbers at all.
void system_random(void* /*unused*/, std::size_t length, std::uint8_t* place) {
    constexpr std::size_t kMost = 256;
    for (std::size_t count = 0; length > 0; length -= count, place += count) {
        count = std::min(length, kMost);
        if (::getentropy(place, count) != 0)
            std::terminate();
    }
}

using Number = std::unique_ptr<BIGNUM, decltype([](BIGNUM* number) { BN_clear_free(number); })>;

Number number_of(const mpz_t value) {
    std::vector<unsigned char> bytes((mpz_sizeinbase(value, 2) + 7) / 8);
    mpz_export(bytes.data(), nullptr, 1, 1, 1, 0, value);
    Number number(BN_secure_new());
    if (number)
        BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number.get());
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return number;
}

Key as_key(const Numbers& numbers) {
    const auto& open = numbers.open;
    const auto& secret = numbers.secret;
    const std::array<std::pair<const char*, Number>, 8> fields = {{
        {OSSL_PKEY_PARAM_RSA_N, number_of(open.n)},
        {OSSL_PKEY_PARAM_RSA_E, number_of(open.e)},
        {OSSL_PKEY_PARAM_RSA_D, number_of(secret.d)},
        {OSSL_PKEY_PARAM_RSA_FACTOR1, number_of(secret.p)},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, number_of(secret.q)},
        {OSSL_PKEY_PARAM_RSA_EXPONENT1, number_of(secret.a)},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, number_of(secret.b)},
        {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, number_of(secret.c)},
    }};
    const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(OSSL_PARAM_BLD_new(),
                                                                                  OSSL_PARAM_BLD_free);
    for (const auto& [name, number] : fields)
        if (!builder || !number || OSSL_PARAM_BLD_push_BN(builder.get(), name, number.get()) != 1)
            return nullptr;
    const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(OSSL_PARAM_BLD_to_param(builder.get()),
                                                                             OSSL_PARAM_free);
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) != 1)
        return nullptr;
    return Key(key);
}

}  // namespace

Key make_rsa_key(unsigned bits) {
    Numbers numbers;
    auto key = rsa_generate_keypair(&numbers.open, &numbers.secret, nullptr, system_random, nullptr, nullptr, bits, 0)
                   ? as_key(numbers)
                   : nullptr;
    if (!key)
        throw error(ErrorKind::internal, "cannot make an RSA key of {} bits", bits);
    return key;
}

}  // namespace vprov::render
