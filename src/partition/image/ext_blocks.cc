#include "partition/image/ext_blocks.h"

#include <endian.h>
#include <et/com_err.h>
#include <ext2fs/ext3_extents.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "partition/image/ext_filesystem.h"

namespace vprov::partition {
namespace {

constexpr std::size_t kInlineExtents = 4;
constexpr std::uint64_t kLongestExtent = EXT_INIT_MAX_LEN;

// What fits into the inode is written as it stands on the disk: no other block, no second write of the inode.
void map_inline(ext2_inode_large& inode, const std::vector<BlockRun>& runs) {
    ext3_extent_header header{};
    header.eh_magic = htole16(EXT3_EXT_MAGIC);
    header.eh_entries = htole16(static_cast<std::uint16_t>(runs.size()));
    header.eh_max = htole16(kInlineExtents);
    auto* place = reinterpret_cast<char*>(&inode.i_block[0]);
    std::memcpy(place, &header, sizeof header);
    for (const auto& run : runs) {
        place += sizeof(ext3_extent);  // as long as the header
        ext3_extent extent{};
        extent.ee_block = htole32(static_cast<std::uint32_t>(run.logical));
        extent.ee_len = htole16(static_cast<std::uint16_t>(run.count));
        extent.ee_start = htole32(static_cast<std::uint32_t>(run.physical));
        extent.ee_start_hi = htole16(static_cast<std::uint16_t>(run.physical >> 32));
        std::memcpy(place, &extent, sizeof extent);
    }
}
static_assert(sizeof(ext3_extent) == sizeof(ext3_extent_header));

void map_as_tree(ext2_filsys fs, ext2_ino_t number, ext2_inode_large& inode, const std::vector<BlockRun>& runs) {
    ext2_extent_handle_t handle = nullptr;
    check_ext(::ext2fs_extent_open2(fs, number, EXT2_INODE(&inode), &handle), "map a file");
    errcode_t code = 0;
    for (const auto& run : runs) {
        ext2fs_extent extent{};
        extent.e_lblk = run.logical;
        extent.e_pblk = run.physical;
        extent.e_len = static_cast<std::uint32_t>(run.count);
        code = ::ext2fs_extent_insert(handle, EXT2_EXTENT_INSERT_AFTER, &extent);
        if (code == 0)
            code = ::ext2fs_extent_fix_parents(handle);
        if (code != 0)
            break;
    }
    ::ext2fs_extent_free(handle);
    check_ext(code, "map a file");
}

void map_each(ext2_filsys fs, ext2_ino_t number, ext2_inode_large& inode, const std::vector<BlockRun>& runs) {
    for (const auto& run : runs)
        for (std::uint64_t i = 0; i < run.count; ++i) {
            blk64_t physical = run.physical + i;
            check_ext(::ext2fs_bmap2(fs, number, EXT2_INODE(&inode), nullptr, BMAP_ALLOC | BMAP_SET, run.logical + i,
                                     nullptr, &physical),
                      "map a file");
        }
}

}  // namespace

void check_ext(errcode_t code, std::string_view what) {
    if (code == 0)
        return;
    if (code == EXT2_ET_BLOCK_ALLOC_FAIL || code == EXT2_ET_INODE_ALLOC_FAIL || code == EXT2_ET_DIR_NO_SPACE)
        throw FullFilesystem{};
    throw error(ErrorKind::disk, "cannot {}: {}", what, ::error_message(code));
}

BlockRun BlockAllocator::take(std::uint64_t logical, std::uint64_t wanted) {
    blk64_t first = 0, count = 0;
    check_ext(::ext2fs_new_range(fs_, 0, next_, std::min(wanted, kLongestExtent), nullptr, &first, &count),
              "find free blocks");
    ::ext2fs_block_alloc_stats_range(fs_, first, static_cast<blk_t>(count), +1);
    next_ = first + count;
    return {logical, first, count};
}

void append_run(std::vector<BlockRun>& runs, const BlockRun& run) {
    if (!runs.empty()) {
        auto& last = runs.back();
        if (last.logical + last.count == run.logical && last.physical + last.count == run.physical &&
            last.count + run.count <= kLongestExtent) {
            last.count += run.count;
            return;
        }
    }
    runs.push_back(run);
}

void map_blocks(ext2_filsys fs, ext2_ino_t number, ext2_inode_large& inode, const std::vector<BlockRun>& runs) {
    std::uint64_t blocks = 0;
    for (const auto& run : runs) blocks += run.count;
    check_ext(::ext2fs_iblk_set(fs, EXT2_INODE(&inode), blocks), "count a file's blocks");
    if (!ext2fs_has_feature_extents(fs->super))
        return map_each(fs, number, inode, runs);
    inode.i_flags |= EXT4_EXTENTS_FL;
    if (runs.size() <= kInlineExtents)
        map_inline(inode, runs);
    else
        map_as_tree(fs, number, inode, runs);
}

}  // namespace vprov::partition
