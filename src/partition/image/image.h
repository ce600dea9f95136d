// Writes disk images in user space: no loop device, no mount. The same tree and plan give the same bytes.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <set>
#include <vector>

#include "base/progress.h"
#include "os/command.h"
#include "partition/layout/layout.h"

namespace vprov::partition {

// A device file that goes into the image although the tree has none: only root can make one in a tree.
struct AddedNode {
    std::filesystem::path path;  // begins with the part's `top`
    mode_t mode = 0;             // with the type
    dev_t device = 0;
    bool operator==(const AddedNode&) const = default;
};

// What of the guest's tree goes into one file system: all below `top` but for the content of the directories
// `left_out`, which begin with `top` and become mount points.
struct TreePart {
    std::filesystem::path top;
    std::set<std::filesystem::path> left_out = {};
    std::vector<AddedNode> added = {};  // root's, and as old as the directory that each is in, which must exist
    bool operator==(const TreePart&) const = default;
};

// The part that belongs on `volume`, given where the others of the layout are mounted. Throws Error(disk) for a
// mount point that is not a directory in the tree or is reached through a link. One that is missing gives an empty
// `top`; write_empty() is for that.
TreePart part_for(const Volume& volume, const DiskLayout& layout, const std::filesystem::path& tree);

// Makes `image` (sparse, must not exist) with volume.filesystem, volume.uuid and volume.label, filled with a tree
// (numeric owners, modes, links, hard links, devices, extended attributes; blocks of zeros become holes). Access and
// change times are set to the time of modification, and the file system is as old as its newest file. At "/" the root
// directory is root's and 0755. Throws Error(disk); when the tree does not fit it says by how much. A failed image is
// removed.
void write_filesystem(const Volume& volume, const TreePart& part, const std::filesystem::path& image,
                      os::CommandRunner& runner);
void write_filesystem(const Volume& volume, const std::filesystem::path& tree, const std::filesystem::path& image,
                      os::CommandRunner& runner);  // the whole tree

// An empty file system, or swap space (mkswap's format, version 1, written natively).
void write_empty(const Volume& volume, const std::filesystem::path& image, os::CommandRunner& runner);

}  // namespace vprov::partition
