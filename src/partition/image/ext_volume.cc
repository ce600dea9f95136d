#include "partition/image/ext_volume.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "partition/image/ext_filesystem.h"
#include "partition/image/mke2fs.h"
#include "partition/image/mkfs.h"
#include "partition/image/tree_writer.h"
#include "partition/layout/placement.h"

namespace vprov::partition {
namespace {

// mke2fs takes 0 for "now"; a file system without a tree has no date of its own.
constexpr std::int64_t kNoDate = 1;

// Blocks of the journal that mke2fs makes for a file system of `blocks`: ext2fs_default_journal_size(), e2fsprogs 1.47.
std::uint64_t journal_blocks(std::uint64_t blocks) {
    constexpr std::array<std::pair<std::uint64_t, std::uint64_t>, 8> kUpTo = {{{2048, 0},
                                                                               {32768, 1024},
                                                                               {256 << 10, 4096},
                                                                               {512 << 10, 8192},
                                                                               {4096 << 10, 16384},
                                                                               {8192 << 10, 32768},
                                                                               {16384 << 10, 65536},
                                                                               {32768 << 10, 131072}}};
    for (const auto& [below, journal] : kUpTo)
        if (blocks < below)
            return journal;
    return 262144;
}

// What the file system itself takes: inode tables, journal, and about 1 MB in a GB of bitmaps and descriptors.
Bytes overhead(const Volume& volume) {
    const auto tables = volume.size.value / bytes_per_inode(volume.size) * 256;
    const auto journal = volume.filesystem == Filesystem::ext2 ? 0 : journal_blocks(volume.size.value / 4096) * 4096;
    return {tables + journal + volume.size.value / 1024};
}

Error too_small(const Volume& volume, const TreeSize& tree, const Place& place) {
    return error(ErrorKind::disk, "cannot write {}: the tree needs about {}, the disk has {}", place.title,
                 human(tree.content + overhead(volume)), human(volume.size));
}

void check_room(const Volume& volume, const TreeSize& tree, const Place& place) {
    if ((tree.content + overhead(volume)) > volume.size)
        throw too_small(volume, tree, place);
    const auto inodes = volume.size.value / bytes_per_inode(volume.size);
    if (tree.inodes > inodes)
        throw error(ErrorKind::disk, "cannot write {}: the tree has {} files, a file system of {} has room for {}",
                    place.title, tree.inodes, human(volume.size), inodes);
}

void fill(const Volume& volume, const TreePart& part, const TreeSize& size, const Place& place) {
    try {
        ExtFilesystem filesystem(place, std::max(size.newest, kNoDate));
        write_tree(filesystem, part, volume.mount == "/" ? RootMode::system : RootMode::as_in_tree);
        filesystem.finish();
    } catch (const FullFilesystem&) {
        throw too_small(volume, size, place);
    } catch (Error& e) {
        if (e.kind() == ErrorKind::disk)
            e.add_context(place.title);
        throw;
    }
}

}  // namespace

void write_ext(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner) {
    if (part.top.empty()) {
        run_mkfs(mke2fs(volume, place, kNoDate), place, "e2fsprogs", runner);
        return;
    }
    auto size = measure(part.top, part.left_out);
    size.inodes += part.added.size();
    check_room(volume, size, place);
    run_mkfs(mke2fs(volume, place, std::max(size.newest, kNoDate)), place, "e2fsprogs", runner);
    fill(volume, part, size, place);
}

Bytes ext_size(Filesystem filesystem, const TreeSize& tree, Bytes room) {
    Volume volume;
    volume.filesystem = filesystem;
    volume.size = tree.content + room;
    const auto step = kAlignment.value;
    for (;;) {
        const auto inodes = (tree.inodes * 5 / 4 + 16) * bytes_per_inode(volume.size);
        const auto wanted = std::max((tree.content + room + overhead(volume)).value, inodes);
        if (volume.size.value >= wanted)
            return volume.size;
        volume.size = {(wanted + step - 1) / step * step};
    }
}

}  // namespace vprov::partition
