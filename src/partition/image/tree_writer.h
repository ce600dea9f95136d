// Copies a tree of the host into a new file system, names in the order of their bytes.
#pragma once

#include "partition/image/ext_filesystem.h"
#include "partition/image/image.h"

namespace vprov::partition {

enum class RootMode { as_in_tree, system };  // system: root's and 0755, whatever the work directory has

// All of the part: everything below `top`, but nothing inside the directories `left_out`, which stay empty. Extended
// attributes of the namespaces user and security are kept, but for the host's own labels (security.selinux). Throws
// Error(disk) and FullFilesystem.
void write_tree(ExtFilesystem& into, const TreePart& part, RootMode root_mode);

}  // namespace vprov::partition
