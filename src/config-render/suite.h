// Conventions that changed between Debian's releases. Pure.
#pragma once

#include <string_view>

namespace vprov::render {

// Debian 13 (trixie) moved apt's sources to deb822, gave up /etc/timezone, and took dhcpcd for isc-dhcp-client. True
// for bookworm and what came before; a suite that is not known counts as new.
bool is_before_trixie(std::string_view suite);

}  // namespace vprov::render
