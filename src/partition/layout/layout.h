// Disks as they will be: sizes, file systems, UUIDs, names on host and guest. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"

namespace vprov::partition {

enum class Filesystem { ext2, ext3, ext4, swap };
std::string_view name(Filesystem filesystem);  // as in fstab: "ext4", "swap"

// A bare file system that is a disk of its own for the guest ("xvda1"), as Xen guests like them.
struct DiskPlan {
    std::string name;   // "root": the image is root.img
    std::string image;  // file name: "root.img"
    std::string guest;  // device name under Xen: "xvda1"
    Bytes size;
    Filesystem filesystem = Filesystem::ext4;
    std::string mount;    // "/", "" for swap
    std::string label;    // "" for none
    std::string options;  // fourth field of fstab: "defaults"
    Uuid uuid;
    bool operator==(const DiskPlan&) const = default;
};

struct DiskLayout {
    std::vector<DiskPlan> disks;   // in the order of the recipe
    const DiskPlan& root() const;  // the one mounted at "/"; its absence is an internal error
    bool operator==(const DiskLayout&) const = default;
};

// A drawing for `vprov plan`: one line a disk, columns aligned: "root.img  xvda1  2G  ext4  /  UUID=...".
std::string describe(const DiskLayout& layout);

}  // namespace vprov::partition
