// Blocks of one inode: allocation in order and the map from file to disk. Internal to ext_filesystem.
#pragma once

#include <ext2fs/ext2fs.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace vprov::partition {

constexpr std::size_t kExtBlock = 4096;

// Throws Error(disk) "cannot VERB: ..." or FullFilesystem for an error of libext2fs; 0 is none.
void check_ext(errcode_t code, std::string_view what);

struct BlockRun {
    std::uint64_t logical = 0, physical = 0, count = 0;
};

// Takes the next free blocks: at most `wanted`, one behind the other.
class BlockAllocator {
  public:
    explicit BlockAllocator(ext2_filsys fs) : fs_(fs) {}
    BlockRun take(std::uint64_t logical, std::uint64_t wanted);

  private:
    ext2_filsys fs_;
    std::uint64_t next_ = 0;
};

// Joins `run` to the last of `runs` where both continue.
void append_run(std::vector<BlockRun>& runs, const BlockRun& run);

// Enters `runs` into the inode as extents, or as block numbers for a file system without them, and counts the blocks.
void map_blocks(ext2_filsys fs, ext2_ino_t number, ext2_inode_large& inode, const std::vector<BlockRun>& runs);

}  // namespace vprov::partition
