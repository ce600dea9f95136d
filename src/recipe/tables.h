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
Keys<ListedGuest> listed_guest_keys();
Keys<NumberedGuests> numbered_guests_keys();
Keys<AddedFile> file_keys();
Keys<AddedDirectory> directory_keys();
Keys<Hook> hook_keys();

// What spans the disks, the networks or the files: no two with the same name, mount point, device, MAC, path. `array`
// may be null.
void check_disks(const std::vector<Disk>& disks, const Node* array, Findings& findings);
void check_guests(const Recipe& recipe, const Node& root, Findings& findings);
void check_networks(const std::vector<Network>& networks, const Node* array, Findings& findings);
void check_hooks(const std::vector<Hook>& hooks, const Node* array, Findings& findings);
void check_files(const std::vector<AddedFile>& files, const Node* array, Findings& findings);

}  // namespace vprov::recipe
