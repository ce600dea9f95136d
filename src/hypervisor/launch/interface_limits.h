// What a guest may send and how fast: addresses by nftables, rates by nftables and tc. Runs nft and tc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

// Of a tap, by the interface's ip= and rate=: from a guest with an ip no other source address comes, IPv6's link-local
// ones and those of a host that has none yet aside, and no other MAC address than `mac`; what is faster than the rate
// is dropped when the guest sends it, and delayed when it is sent to the guest. What cannot be done, for want of a
// program or of the kernel's support, is in the result: warnings.
//
// The rules are a table of nftables, "vprov-TAP" of the family netdev, which outlasts the tap; so DIRECTORY/TAP says
// that there is one, and in which network namespace.
std::vector<std::string> limit_interface(const GuestInterface& vif, const std::string& mac, const std::string& tap,
                                         const std::filesystem::path& directory);

// Removes the tables in DIRECTORY whose tap has gone.
void remove_stale_limits(const std::filesystem::path& directory) noexcept;

// The rules as nft reads them, any earlier ones replaced; "" for none. Addresses that are none are in `warnings`. Pure.
std::string filter_rules(const GuestInterface& vif, const std::string& mac, const std::string& tap,
                         std::vector<std::string>& warnings);

}  // namespace vprov::hypervisor
