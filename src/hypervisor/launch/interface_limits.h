// What a guest may send and how fast: addresses by nftables, rates by nftables and tc. Runs nft and tc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hypervisor/guest/guest.h"
#include "os/fd.h"

namespace vprov::hypervisor {

// Of a tap, by the interface's ip= and rate=: from a guest with an ip no other source address comes, IPv6's link-local
// ones and those of a host that has none yet aside, and no other MAC address than `mac`; what is faster than the rate
// is dropped when the guest sends it, and delayed when it is sent to the guest. What cannot be done, for want of a
// program or of the kernel's support, is in the result: warnings.
//
// The rules are a table of nftables, "vprov-TAP" of the family netdev, which outlasts the tap; so the symbolic link
// DIRECTORY/TAP says that there is one, and in which network namespace: by its inode.
std::vector<std::string> limit_interface(const GuestInterface& vif, const std::string& mac, const std::string& tap,
                                         const std::filesystem::path& directory);

// An interface of the domain `id` on its bridge as connect_interface() does it, under its tap's name, and limited.
struct BridgePort {
    os::Fd tap;  // not open: user-mode networking
    std::vector<std::string> warnings;
};
std::string tap_name(unsigned id, const Guest& guest, std::size_t index);  // "vif7.0"
BridgePort connect_limited(unsigned id, const Guest& guest, std::size_t index, const std::filesystem::path& directory);

// What there is to warn of when the interface is not on a bridge.
std::vector<std::string> limits_without_effect(const GuestInterface& vif);

// Removes the tables in DIRECTORY whose tap has gone.
void remove_stale_limits(const std::filesystem::path& directory) noexcept;

// The rules as nft reads them, any earlier ones replaced; "" for none. Addresses that are none are in `warnings`. Pure.
std::string filter_rules(const GuestInterface& vif, const std::string& mac, const std::string& tap,
                         std::vector<std::string>& warnings);

}  // namespace vprov::hypervisor
