// Keys by which an SSH server is known. Made here, with libcrypto and libnettle, as ssh-keygen(1) would in the guest:
// for trees of any architecture, and for images that are edited in place.
#pragma once

#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

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
// dsa 1024. Throws Error(internal) when a library refuses.
HostKeyPair make_host_key(KeyAlgorithm type, PrivateKeyFormat format, std::string_view comment);

// A key that is made while there is other work: an RSA key takes 0.2 to 0.5 s of a core.
class EarlyHostKey {
  public:
    enum class Haste {
        now,    // it is waited for soon
        later,  // the other work comes first (nice)
    };
    EarlyHostKey(KeyAlgorithm type, PrivateKeyFormat format, std::string comment, Haste haste);  // begins
    ~EarlyHostKey() = default;  // waits for a key that is being made
    EarlyHostKey(const EarlyHostKey&) = delete;
    EarlyHostKey& operator=(const EarlyHostKey&) = delete;

    // Once. Waits for it. Throws what make_host_key() throws, and Error(interrupted).
    HostKeyPair take();

  private:
    std::promise<HostKeyPair> promise_;
    std::future<HostKeyPair> key_ = promise_.get_future();
    std::jthread thread_;
};

}  // namespace vprov::render
