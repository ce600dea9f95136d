// Clear-signed texts (RFC 4880, chapter 7). Pure; proves nothing about any signature.
#pragma once

#include <string>
#include <string_view>

namespace vprov::archive {

// Throws Error(archive) with the bare cause unless `data` is one clear-signed message from its first byte to its last:
// text outside of the signed block looks signed to a reader and is not.
void check_clear_signed(std::string_view data);

// The text of a message that passed check_clear_signed(), for repositories of which no signature is wanted.
std::string clear_text(std::string_view data);

}  // namespace vprov::archive
