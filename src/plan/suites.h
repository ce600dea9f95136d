// What is known of the suites of Debian and Ubuntu. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vprov::plan {

// The suites that are added to a release: "" where there is none.
struct Pockets {
    std::string updates, security;
};
Pockets pockets_of(std::string_view distribution, std::string_view suite);

// The release that `suite` belongs to: "bookworm" of "bookworm-backports", "buster" of "buster/updates".
std::string_view release_of(std::string_view suite);
bool is_security(std::string_view suite);  // "bookworm-security", "buster/updates"

// Whether the suite is a name that the distribution itself uses, so that a source with it may be one of its mirrors.
bool is_official(std::string_view distribution, std::string_view suite);

// The suite that this one only adds packages to, "" for one that is complete: "bookworm" of "bookworm-backports",
// "sid" of "experimental".
std::string_view complete_suite(std::string_view suite);

// False for releases in which systemd-resolved is no package of its own, but a part of the package systemd.
bool has_systemd_resolved(std::string_view suite);

// False for releases whose DHCP client of choice is dhcpcd, as from Debian 13 and Ubuntu 24.04 on.
bool has_dhclient(std::string_view suite);

}  // namespace vprov::plan
