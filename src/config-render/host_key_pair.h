// Keys by which an SSH server is known. Made here, with libcrypto, as ssh-keygen(1) would in the guest: for trees of
// any architecture, and for images that are edited in place.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vprov::render {

enum class KeyAlgorithm { rsa, ecdsa, ed25519, dsa };
std::optional<KeyAlgorithm> key_algorithm(std::string_view name);  // "ed25519"; nullopt for any other

// openssh: "openssh-key-v1" (PROTOCOL.key of OpenSSH), what ssh-keygen writes since 7.8. pem: what earlier versions
// read and write, for all but ed25519.
enum class PrivateKeyFormat { openssh, pem };

struct HostKeyPair {
    std::string private_key;  // a file's content, secret
    std::string public_key;   // "ssh-ed25519 AAAA... COMMENT\n"
};

// A new one from the system's random numbers, never from a seed, of ssh-keygen's own size: rsa 3072, ecdsa nistp256,
// dsa 1024. Throws Error(internal) when libcrypto fails.
HostKeyPair make_host_key(KeyAlgorithm type, PrivateKeyFormat format, std::string_view comment);

}  // namespace vprov::render
