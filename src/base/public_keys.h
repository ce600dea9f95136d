// Keyrings of OpenPGP public keys (RFC 4880). Pure; proves nothing about any signature.
#pragma once

#include <string>
#include <string_view>

namespace vprov {

bool is_armoured_keyring(std::string_view data);

// The public key blocks of an armoured keyring (chapter 6), one after the other, as gpgv reads them; blanks at either
// end of a line do not count. Throws Error(archive) "cannot read the armoured keyring: CAUSE".
std::string dearmour(std::string_view text);

// Whether one primary key is in both; not armoured. What is no key counts as the end of a keyring.
bool share_a_key(std::string_view keyring, std::string_view other);

}  // namespace vprov
