#include "partition/image/ext_directory.h"

#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "partition/image/ext_blocks.h"

namespace vprov::partition {
namespace {

constexpr std::size_t kHeader = 8;  // inode, length, name length, type

std::uint8_t type_of(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFREG:
            return EXT2_FT_REG_FILE;
        case S_IFDIR:
            return EXT2_FT_DIR;
        case S_IFCHR:
            return EXT2_FT_CHRDEV;
        case S_IFBLK:
            return EXT2_FT_BLKDEV;
        case S_IFIFO:
            return EXT2_FT_FIFO;
        case S_IFSOCK:
            return EXT2_FT_SOCK;
        case S_IFLNK:
            return EXT2_FT_SYMLINK;
        default:
            return EXT2_FT_UNKNOWN;
    }
}

std::size_t length_of(const DirectoryEntry& entry) {
    return (kHeader + entry.name.size() + 3) / 4 * 4;
}

// Fills blocks from the front; the last entry of each reaches to the block's end.
class BlockFiller {
  public:
    explicit BlockFiller(ext2_filsys fs)
        : fs_(fs), room_(kExtBlock - (ext2fs_has_feature_metadata_csum(fs->super) ? sizeof(ext2_dir_entry_tail) : 0)) {
        start();
    }

    void add(const DirectoryEntry& entry) {
        if (entry.name.empty() || entry.name.size() > EXT2_NAME_LEN)
            throw error(ErrorKind::disk, "cannot write a file named {}: 255 bytes are the most", quote(entry.name));
        const auto length = length_of(entry);
        if (end_ + length > room_) {
            close();
            start();
        }
        auto* place = blocks_.back().data() + end_;
        const auto name_length = static_cast<std::uint8_t>(entry.name.size());
        const auto type = type_of(entry.mode);
        // written in this machine's byte order, which ext2fs_write_dir_block4() takes care of
        const auto name_and_type = static_cast<std::uint16_t>(name_length | type << 8);
        std::memcpy(place, &entry.inode, sizeof entry.inode);
        std::memcpy(place + 6, &name_and_type, sizeof name_and_type);
        std::memcpy(place + kHeader, entry.name.data(), entry.name.size());
        set_length(end_, length);
        last_ = end_;
        end_ += length;
    }

    std::vector<std::string> take() {
        close();
        return std::move(blocks_);
    }

  private:
    void start() {
        blocks_.emplace_back(kExtBlock, '\0');
        last_ = end_ = 0;
    }
    void close() {
        set_length(last_, room_ - last_);
        if (room_ < kExtBlock)
            ::ext2fs_initialize_dirent_tail(fs_, reinterpret_cast<ext2_dir_entry_tail*>(blocks_.back().data() + room_));
    }
    void set_length(std::size_t entry, std::size_t length) {
        const auto value = static_cast<std::uint16_t>(length);
        std::memcpy(blocks_.back().data() + entry + 4, &value, sizeof value);
    }

    ext2_filsys fs_;
    std::size_t room_, last_ = 0, end_ = 0;
    std::vector<std::string> blocks_;
};

}  // namespace

std::vector<std::string> directory_blocks(ext2_filsys fs, Inode self, Inode parent,
                                          const std::vector<DirectoryEntry>& entries) {
    BlockFiller filler(fs);
    filler.add({".", self, S_IFDIR});
    filler.add({"..", parent, S_IFDIR});
    for (const auto& entry : entries) filler.add(entry);
    return filler.take();
}

}  // namespace vprov::partition
