// SSH host keys as ssh-keygen -A makes them, without the guest's or the host's ssh-keygen: for trees of any
// architecture, and for images that are edited in place.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config-render/guest_files.h"

namespace vprov::render {

// What openssh-server's postinst has made since OpenSSH 7.0: RSA of 3072 bits, ECDSA on P-256, Ed25519.
enum class HostKeyType { rsa, ecdsa, ed25519 };
std::optional<HostKeyType> host_key_type(std::string_view name);  // "rsa" as in ssh_host_rsa_key

// A new key from the system's random numbers, and nothing else: never from a seed. `comment` is "root@HOST". Its two
// files are /etc/ssh/ssh_host_TYPE_key (0600, secret, PROTOCOL.key of OpenSSH 6.5) and the same with ".pub".
std::vector<GuestFile> new_host_key(HostKeyType type, std::string_view comment);

// The keys of the recipe's ssh_host_keys directory: every ssh_host_*_key and its .pub. Throws Error(recipe) for none,
// one without the other, and a private key that everybody can read.
std::vector<GuestFile> given_host_keys(const plan::Plan& plan);

struct HostKey {
    std::string type;         // "ssh-ed25519"
    std::string fingerprint;  // "SHA256:...", as ssh-keygen -l prints it
    bool operator==(const HostKey&) const = default;
};

// Of a line "TYPE BASE64 COMMENT"; nullopt for anything else.
std::optional<HostKey> read_public_key(std::string_view line);

// Of /etc/ssh/ssh_host_*.pub, by name.
std::vector<HostKey> host_keys(const os::RootDir& root);

}  // namespace vprov::render
