// RSA keys, from libnettle's provable primes (Maurer's method): libcrypto 3.0 tests its primes three times as long.
#pragma once

#include <openssl/evp.h>

#include <memory>

namespace vprov::render {

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

// For use with libcrypto, from the system's random numbers; its public exponent is 65537, as in ssh-keygen(1). 3072
// bits take about 0.3 s of a core. Throws Error(internal).
Key make_rsa_key(unsigned bits);

}  // namespace vprov::render
