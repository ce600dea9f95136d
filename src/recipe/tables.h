// The keys of each table of a recipe. Pure.
#pragma once

#include "recipe/keys.h"
#include "recipe/recipe.h"

namespace vprov::recipe {

Keys<System> system_keys();
Keys<Identity> identity_keys();
Keys<Disk> disk_keys();
Keys<Mount> mount_keys();
Keys<Network> network_keys();
Keys<Boot> boot_keys();
Keys<Domain> domain_keys();

// What spans the disks, or the networks: no two with the same name, mount point, device, MAC. `array` may be null.
void check_disks(const std::vector<Disk>& disks, const Node* array, Findings& findings);
void check_networks(const std::vector<Network>& networks, const Node* array, Findings& findings);

}  // namespace vprov::recipe
