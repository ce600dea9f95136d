// The files of a volume of an image.
#pragma once

#include "os/command.h"
#include "partition/compare/tree_listing.h"
#include "partition/image/place.h"
#include "partition/layout/layout.h"

namespace vprov::partition {

// place.file is only read; place.scratch is a directory for what is needed meanwhile. ext2/3/4 are read by libext2fs,
// vfat by mcopy(1), btrfs by btrfs-restore(8), which passes over devices and hard links; xfs is mounted read only in a
// private mount namespace, for which it takes root of the host. All throw Error(disk), also for a volume without files.
TreeListing list_volume(const Volume& volume, const Place& place, os::CommandRunner& runner);

// A regular file's content, no links being followed; nullopt for anything else.
std::optional<std::string> read_from_volume(const Volume& volume, const Place& place, const std::string& path,
                                            os::CommandRunner& runner);

struct FoundVolume {
    Place place;
    Bytes size;
};

// Where the image's own table puts the volume; all of a disk without a table. nullopt where the table has no partition
// of that number.
std::optional<FoundVolume> find_volume(const DiskPlan& disk, const Volume& volume, const std::filesystem::path& image);

}  // namespace vprov::partition
