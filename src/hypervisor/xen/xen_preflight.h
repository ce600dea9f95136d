// What can be known to be wrong with a guest before xl is asked. Looks at files; changes nothing.
#pragma once

#include <filesystem>
#include <map>

#include "hypervisor/guest/guest.h"
#include "hypervisor/xen/xl_output.h"

namespace vprov::hypervisor {

// The guest with every path absolute: relative ones are taken from `folder`, and disks that are not there from /dev, as
// xl does. Throws Error(hypervisor) "cannot create 'NAME': CAUSE" for a kernel, ramdisk, disk or bridge that is
// missing, each of which xl finds out late or says in its own way. Disks with a script are the script's business.
Guest prepare_xen_guest(Guest guest, const std::filesystem::path& folder,
                        const std::filesystem::path& interfaces = "/sys/class/net");

// Xen 4.17 lets two domains write to one image file without a word. Throws Error(hypervisor) "cannot create 'NAME': its
// disk
// ... is in use by 'OTHER'" when a running domain has a disk of the guest and one of the two may write to it.
void refuse_shared_disks(std::string_view verb, const Guest& guest, const std::map<unsigned, XlDetails>& running);

}  // namespace vprov::hypervisor
