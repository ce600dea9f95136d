// Whether a file is a host key and nothing else. Pure.
#pragma once

#include <string_view>

#include "config-render/host_key_pair.h"

namespace vprov::render {

// A public key with this comment and a private key of the same type without a passphrase, as make_host_key() writes
// them. In OpenSSH's format the two belong together and there is nothing besides them; in PEM it is a key.
bool is_host_key_pair(const HostKeyPair& pair, std::string_view comment);

}  // namespace vprov::render
