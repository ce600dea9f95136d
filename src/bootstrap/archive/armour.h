// ASCII armour and clear-signed texts (RFC 4880, chapters 6 and 7). Pure; proves nothing about any signature.
#pragma once

#include <string>
#include <string_view>

namespace vprov::archive {

bool is_armoured_keyring(std::string_view data);

// The public key blocks of an armoured keyring, one after the other, as gpgv reads them. Throws Error(archive)
// "cannot read the armoured keyring: CAUSE".
std::string dearmour(std::string_view text);

// Throws Error(archive) with the bare cause unless `data` is one clear-signed message from its first byte to its last:
// text outside of the signed block looks signed to a reader and is not.
void check_clear_signed(std::string_view data);

// The text of a message that passed check_clear_signed(), for repositories of which no signature is wanted.
std::string clear_text(std::string_view data);

}  // namespace vprov::archive
