// The strings in xl's disk, vif and vfb lists. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

// xl-disk-configuration(5), positional and key=value, with the old prefixes: "nbd:" and its like are a script here.
// Throws Error(hypervisor) "cannot read the disk 'SPEC': CAUSE".
GuestDisk parse_disk_spec(std::string_view spec);

// As today's xl writes it, "format=raw,vdev=xvda1,access=rw,target=/a", or as xm did, "phy:/dev/vg/a,xvda1,w", where
// what xm had no words for is in today's. Throws Error(recipe) for what cannot be written.
std::string write_disk_spec(const GuestDisk& disk, Dialect dialect, GuestType type);

// xl-network-configuration(5). Throws Error(hypervisor) "cannot read the vif 'SPEC': CAUSE".
GuestInterface parse_vif_spec(std::string_view spec);

// "key=value,key=value" with blanks around either ignored, in order. A word without '=' has an empty value.
std::vector<std::pair<std::string, std::string>> split_pairs(std::string_view spec);

// "mac=aa:00:00:12:23:34,bridge=bridge0". Throws Error(recipe) for what cannot be written.
std::string write_vif_spec(const GuestInterface& vif, Dialect dialect);
bool is_vif_key(std::string_view key);  // one of xl-network-configuration(5), or of kBootServerKeys

// A vif's keys of QEMU's user-mode network, which xl does not know: a directory whose files it serves by TFTP, and the
// one that a guest boots from the network.
constexpr std::array<std::string_view, 2> kBootServerKeys = {"tftp", "bootfile"};

// What of the interface xl has no words for: the items of the list vprov_vif, which belong to those of vif in turn:
// "forward=[tcp:|udp:][ADDRESS:]PORT:GUESTPORT", more than once, or "segment=NAME". The first sets what it says.
// Throws Error(hypervisor) "cannot read the vprov_vif 'SPEC': CAUSE".
void parse_vprov_vif(std::string_view spec, GuestInterface& vif);
std::string write_vprov_vif(const GuestInterface& vif);  // "" for nothing
PortForward parse_port_forward(std::string_view spec);   // throws Error(hypervisor), only the cause
std::string write_port_forward(const PortForward& forward);
bool is_valid_segment_name(std::string_view name);  // letters, digits, '_' and '-', at most 32

// "10Mb/s@50ms" in thousands of bytes a second, at least 1; 0 for what is no rate.
std::uint64_t kilobytes_per_second(std::string_view rate);

// Where xm put the CD of `cdrom = "/dev/cdrom"`.
constexpr std::string_view kXmCdDevice = "hdc";

}  // namespace vprov::hypervisor
