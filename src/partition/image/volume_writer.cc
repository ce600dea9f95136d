#include "partition/image/volume_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "partition/image/btrfs_volume.h"
#include "partition/image/ext_volume.h"
#include "partition/image/swap.h"
#include "partition/image/vfat_volume.h"
#include "partition/image/xfs_volume.h"
#include "partition/layout/placement.h"

namespace vprov::partition {
namespace {

void write_swap(const Volume& volume, const Place& place) {
    const auto header = swap_header(volume.size, volume.uuid, volume.label);
    const auto fd = os::open_file(place.file, O_WRONLY);
    os::write_at(fd, header, place.offset.value, place.title);
}

Bytes least_size(const Volume& volume, const TreeSize& tree) {
    switch (volume.filesystem) {
        case Filesystem::ext2:
        case Filesystem::ext3:
        case Filesystem::ext4:
            return ext_size(volume.filesystem, tree, volume.room);
        case Filesystem::xfs:
            return xfs_size(tree, volume.room);
        case Filesystem::btrfs:
            return btrfs_size(tree, volume.room);
        case Filesystem::vfat:
            return vfat_size(tree, volume.room);
        case Filesystem::swap:
        case Filesystem::none:
            return volume.size;
    }
    return volume.size;
}

}  // namespace

FilledBy filled_by(Filesystem filesystem) {
    return filesystem == Filesystem::xfs ? FilledBy::mounting : FilledBy::user_space;
}

void write_volume(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner) {
    switch (volume.filesystem) {
        case Filesystem::ext2:
        case Filesystem::ext3:
        case Filesystem::ext4:
            return write_ext(volume, part, place, runner);
        case Filesystem::xfs:
            return write_xfs(volume, part, place, runner);
        case Filesystem::btrfs:
            return write_btrfs(volume, part, place, runner);
        case Filesystem::vfat:
            return write_vfat(volume, part, place, runner);
        case Filesystem::swap:
            return write_swap(volume, place);
        case Filesystem::none:
            return;
    }
}

Bytes size_for(const Volume& volume, const TreeSize& content) {
    const auto step = kAlignment.value;
    const auto least = std::max(least_size(volume, content), smallest(volume.filesystem));
    return {(least.value + step - 1) / step * step};
}

}  // namespace vprov::partition
