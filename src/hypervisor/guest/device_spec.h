// The strings in xl's disk, vif and vfb lists. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {

struct DiskSpec {
    GuestDisk disk;
    std::string script;  // "block-nbd": a hotplug script is asked for, which vprov does not run; "" for none
};

// xl-disk-configuration(5), positional and key=value, with the old prefixes. Throws Error(hypervisor)
// "cannot read the disk 'SPEC': CAUSE".
DiskSpec parse_disk_spec(std::string_view spec);

// xl-network-configuration(5). Throws Error(hypervisor) "cannot read the vif 'SPEC': CAUSE".
GuestInterface parse_vif_spec(std::string_view spec);

// "key=value,key=value" with blanks around either ignored, in order. A word without '=' has an empty value.
std::vector<std::pair<std::string, std::string>> split_pairs(std::string_view spec);

// The names in a configuration: "raw", "qcow2", "vhd", "qed", "empty".
std::string_view format_name(DiskFormat format);

}  // namespace vprov::hypervisor
