// The SSH host keys that a recipe gives, and those that a tree has. New ones are made by host_key_pair.h.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config-render/guest_files.h"

namespace vprov::render {

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
