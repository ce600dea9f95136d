#include "partition/image/ext_checksums.h"

#include <ext2fs/ext3_extents.h>
#include <sys/stat.h>

#include <vector>

#include "base/error.h"
#include "partition/image/ext_blocks.h"

namespace vprov::partition {
namespace {

// While checksums are of the earlier UUID.
class IgnoringChecksums {
  public:
    explicit IgnoringChecksums(ext2_filsys fs) : fs_(fs) { fs_->flags |= EXT2_FLAG_IGNORE_CSUM_ERRORS; }
    ~IgnoringChecksums() { fs_->flags &= ~EXT2_FLAG_IGNORE_CSUM_ERRORS; }
    IgnoringChecksums(const IgnoringChecksums&) = delete;
    IgnoringChecksums& operator=(const IgnoringChecksums&) = delete;

  private:
    ext2_filsys fs_;
};

class Scan {
  public:
    explicit Scan(ext2_filsys fs) { check_ext(::ext2fs_open_inode_scan(fs, 0, &scan_), "read the inodes"); }
    ~Scan() { ::ext2fs_close_inode_scan(scan_); }
    Scan(const Scan&) = delete;
    Scan& operator=(const Scan&) = delete;

    // 0 at the end.
    ext2_ino_t next(std::vector<char>& inode) {
        ext2_ino_t number = 0;
        check_ext(::ext2fs_get_next_inode_full(scan_, &number, reinterpret_cast<ext2_inode*>(inode.data()),
                                               static_cast<int>(inode.size())),
                  "read the inodes");
        return number;
    }

  private:
    ext2_inode_scan scan_ = nullptr;
};

struct DirectoryWalk {
    ext2_filsys fs;
    ext2_ino_t number;
    std::vector<char> block = std::vector<char>(kExtBlock);
    errcode_t failure = 0;
};

int write_directory_block(ext2_filsys fs, blk64_t* physical, e2_blkcnt_t logical, blk64_t, int, void* data) {
    auto& walk = *static_cast<DirectoryWalk*>(data);
    if (logical < 0)
        return 0;
    walk.failure = ::ext2fs_read_dir_block4(fs, *physical, walk.block.data(), 0, walk.number);
    if (walk.failure == 0)
        walk.failure = ::ext2fs_write_dir_block4(fs, *physical, walk.block.data(), 0, walk.number);
    return walk.failure == 0 ? 0 : BLOCK_ABORT;
}

void write_directory(ext2_filsys fs, ext2_ino_t number) {
    DirectoryWalk walk{fs, number};
    check_ext(::ext2fs_block_iterate3(fs, number, BLOCK_FLAG_READ_ONLY | BLOCK_FLAG_DATA_ONLY, nullptr,
                                      write_directory_block, &walk),
              "read a directory");
    check_ext(walk.failure, "write a directory");
}

// Replacing the first extent of a block by itself writes the block.
void write_extent_blocks(ext2_filsys fs, ext2_ino_t number, ext2_inode* inode) {
    ext2_extent_handle_t handle = nullptr;
    check_ext(::ext2fs_extent_open2(fs, number, inode, &handle), "read the extents of a file");
    ext2fs_extent extent{};
    auto code = ::ext2fs_extent_get(handle, EXT2_EXTENT_ROOT, &extent);
    while (code == 0) {
        ext2_extent_info info{};
        code = ::ext2fs_extent_get_info(handle, &info);
        const bool first = info.curr_level > 0 && info.curr_entry == 1;
        if (code == 0 && first && (extent.e_flags & EXT2_EXTENT_FLAGS_SECOND_VISIT) == 0)
            code = ::ext2fs_extent_replace(handle, 0, &extent);
        if (code == 0)
            code = ::ext2fs_extent_get(handle, EXT2_EXTENT_NEXT, &extent);
    }
    ::ext2fs_extent_free(handle);
    if (code != EXT2_ET_EXTENT_NO_NEXT)
        check_ext(code, "write the extents of a file");
}

bool has_extent_blocks(const ext2_inode& inode) {
    if ((inode.i_flags & EXT4_EXTENTS_FL) == 0)
        return false;
    const auto* header = reinterpret_cast<const ext3_extent_header*>(&inode.i_block[0]);
    return header->eh_depth != 0;
}

void write_attribute_block(ext2_filsys fs, ext2_ino_t number, const ext2_inode& inode) {
    const auto place = ::ext2fs_file_acl_block(fs, &inode);
    std::vector<char> block(kExtBlock);
    check_ext(::ext2fs_read_ext_attr3(fs, place, block.data(), number), "read extended attributes");
    check_ext(::ext2fs_write_ext_attr3(fs, place, block.data(), number), "write extended attributes");
}

void write_inode(ext2_filsys fs, ext2_ino_t number, std::vector<char>& bytes) {
    auto* inode = reinterpret_cast<ext2_inode*>(bytes.data());
    check_ext(::ext2fs_write_inode_full(fs, number, inode, static_cast<int>(bytes.size())), "write an inode");
    if (inode->i_links_count == 0 && number >= EXT2_FIRST_INO(fs->super))
        return;
    if (has_extent_blocks(*inode))
        write_extent_blocks(fs, number, inode);
    if (S_ISDIR(inode->i_mode))
        write_directory(fs, number);
    if (::ext2fs_file_acl_block(fs, inode) != 0)
        write_attribute_block(fs, number, *inode);
}

}  // namespace

void write_checksums_anew(ext2_filsys fs) {
    ::ext2fs_mark_super_dirty(fs);
    if (!ext2fs_has_feature_metadata_csum(fs->super))
        return;
    const IgnoringChecksums while_writing(fs);
    ::ext2fs_init_csum_seed(fs);
    std::vector<char> inode(EXT2_INODE_SIZE(fs->super));
    Scan scan(fs);
    while (const auto number = scan.next(inode))
        if (::ext2fs_test_inode_bitmap2(fs->inode_map, number) || number < EXT2_FIRST_INO(fs->super))
            write_inode(fs, number, inode);
    ::ext2fs_mark_ib_dirty(fs);
    ::ext2fs_mark_bb_dirty(fs);
    check_ext(::ext2fs_set_gdt_csum(fs), "write the group descriptors");
}

}  // namespace vprov::partition
