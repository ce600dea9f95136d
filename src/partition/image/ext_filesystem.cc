#include "partition/image/ext_filesystem.h"

#include <endian.h>
#include <et/com_err.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "os/interrupt.h"
#include "partition/image/ext_blocks.h"
#include "partition/image/ext_directory.h"

namespace vprov::partition {
namespace {

constexpr std::size_t kBuffer = 1 << 20;
constexpr std::uint64_t kSuperblock = 1024;
constexpr std::size_t kLongestInline = 59;  // a symbolic link's target that stands in the inode itself

bool is_zero(const char* block, std::size_t size) {
    return block[0] == 0 && std::memcmp(block, block + 1, size - 1) == 0;
}

std::uint64_t blocks_for(std::uint64_t bytes) {
    return (bytes + kExtBlock - 1) / kExtBlock;
}

// Seconds beyond 2038 continue in the two low bits of the extra field, above which stand the nanoseconds.
std::uint32_t extra_time(const timespec& time) {
    const auto epoch = static_cast<std::uint32_t>((time.tv_sec - static_cast<std::int32_t>(time.tv_sec)) >> 32) & 3U;
    return static_cast<std::uint32_t>(time.tv_nsec) << 2 | epoch;
}

ext2_inode_large inode_of(const struct stat& status) {
    ext2_inode_large inode{};
    inode.i_mode = static_cast<std::uint16_t>(status.st_mode);
    inode.i_uid = static_cast<std::uint16_t>(status.st_uid);
    inode.i_gid = static_cast<std::uint16_t>(status.st_gid);
    ext2fs_set_i_uid_high(inode, static_cast<std::uint16_t>(status.st_uid >> 16));
    ext2fs_set_i_gid_high(inode, static_cast<std::uint16_t>(status.st_gid >> 16));
    inode.i_links_count = 1;
    const auto seconds = static_cast<std::uint32_t>(status.st_mtim.tv_sec);
    const auto extra = extra_time(status.st_mtim);
    inode.i_mtime = inode.i_atime = inode.i_ctime = inode.i_crtime = seconds;
    inode.i_mtime_extra = inode.i_atime_extra = inode.i_ctime_extra = inode.i_crtime_extra = extra;
    inode.i_extra_isize = sizeof(ext2_inode_large) - EXT2_GOOD_OLD_INODE_SIZE;
    return inode;
}

void set_size(ext2_inode_large& inode, std::uint64_t size) {
    inode.i_size = static_cast<std::uint32_t>(size);
    inode.i_size_high = static_cast<std::uint32_t>(size >> 32);
}

}  // namespace

struct ExtFilesystem::State {
    ext2_filsys fs = nullptr;
    std::optional<BlockAllocator> blocks;
    os::Fd image;
    std::uint64_t offset = 0;  // of the file system in the image
    Inode next_inode = 0;
    std::vector<char> buffer = std::vector<char>(kBuffer);

    ~State() {
        if (fs)
            ::ext2fs_free(fs);
    }

    void put(std::uint64_t physical, const char* data, std::size_t size) const {
        os::write_at(image, {data, size}, offset + physical, "the file system");
    }

    // libext2fs writes of the superblock what it has changed, and leaves this alone.
    void set_magic(std::uint16_t magic) const {
        const auto little = htole16(magic);
        put(kSuperblock + offsetof(ext2_super_block, s_magic), reinterpret_cast<const char*>(&little), sizeof little);
    }

    // `size` bytes that belong at block `logical` of a file.
    void store(std::vector<BlockRun>& runs, std::uint64_t logical, const char* data, std::size_t size) {
        while (size > 0) {
            const auto run = blocks->take(logical, blocks_for(size));
            const auto part = std::min<std::size_t>(size, run.count * kExtBlock);
            put(run.physical * kExtBlock, data, part);
            append_run(runs, run);
            logical += run.count;
            data += part;
            size -= part;
        }
    }

    // The same, with blocks of zeros left out.
    void store_sparse(std::vector<BlockRun>& runs, std::uint64_t logical, const char* data, std::size_t size) {
        const auto block_at = [&](std::size_t place) { return std::min(kExtBlock, size - place); };
        for (std::size_t place = 0; place < size;) {
            auto end = place;
            while (end < size && !is_zero(data + end, block_at(end))) end += block_at(end);
            if (end > place)
                store(runs, logical + place / kExtBlock, data + place, end - place);
            while (end < size && is_zero(data + end, block_at(end))) end += block_at(end);
            place = end;
        }
    }

    void write(Inode number, ext2_inode_large& inode) const {
        check_ext(::ext2fs_write_inode_full(fs, number, EXT2_INODE(&inode), sizeof inode), "write an inode");
    }
};

ExtFilesystem::ExtFilesystem(const Place& place, std::int64_t epoch) : state_(std::make_unique<State>()) {
    ::initialize_ext2_error_table();
    state_->image = os::open_file(place.file, O_RDWR);
    state_->offset = place.offset.value;
    const auto options = fmt::format("offset={}", state_->offset);
    check_ext(::ext2fs_open2(place.file.c_str(), options.c_str(), EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0,
                             ::unix_io_manager, &state_->fs),
              "open the new file system");
    state_->fs->now = static_cast<time_t>(epoch);
    check_ext(::ext2fs_read_bitmaps(state_->fs), "read the new file system");
    if (state_->fs->blocksize != kExtBlock || EXT2_INODE_SIZE(state_->fs->super) < sizeof(ext2_inode_large))
        throw error(ErrorKind::internal, "internal error: blocks or inodes of an unexpected size");
    state_->blocks.emplace(state_->fs);
    state_->next_inode = EXT2_FIRST_INO(state_->fs->super) + 1;  // the first is lost+found
    state_->set_magic(0);
}

ExtFilesystem::~ExtFilesystem() = default;

Inode ExtFilesystem::new_inode(mode_t mode) {
    if (state_->next_inode > state_->fs->super->s_inodes_count)
        throw FullFilesystem{};
    ::ext2fs_inode_alloc_stats2(state_->fs, state_->next_inode, +1, S_ISDIR(mode));
    return state_->next_inode++;
}

void ExtFilesystem::write_file(Inode number, const struct stat& status, int fd, std::string_view name) {
    auto inode = inode_of(status);
    std::vector<BlockRun> runs;
    std::uint64_t size = 0;
    auto& buffer = state_->buffer;
    for (;;) {
        os::check_stop();
        std::size_t filled = 0;  // whole blocks but for the end of the file
        while (filled < buffer.size()) {
            const auto count = ::read(fd, buffer.data() + filled, buffer.size() - filled);
            if (count < 0 && errno == EINTR)
                continue;
            if (count < 0)
                throw system_error(ErrorKind::disk, errno, "cannot read " + quote(name));
            if (count == 0)
                break;
            filled += static_cast<std::size_t>(count);
            if (size + filled == static_cast<std::uint64_t>(status.st_size))
                break;  // saves the read that says so
        }
        state_->store_sparse(runs, size / kExtBlock, buffer.data(), filled);
        size += filled;
        if (filled < buffer.size() || size == static_cast<std::uint64_t>(status.st_size))
            break;
    }
    set_size(inode, size);
    map_blocks(state_->fs, number, inode, runs);
    state_->write(number, inode);
}

void ExtFilesystem::write_link(Inode number, const struct stat& status, std::string_view target) {
    auto inode = inode_of(status);
    set_size(inode, target.size());
    if (target.size() <= kLongestInline) {
        std::memcpy(&inode.i_block[0], target.data(), target.size());
    } else {
        std::vector<BlockRun> runs;
        state_->store(runs, 0, target.data(), target.size());
        map_blocks(state_->fs, number, inode, runs);
    }
    state_->write(number, inode);
}

void ExtFilesystem::write_special(Inode number, const struct stat& status) {
    auto inode = inode_of(status);
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
        const auto major = static_cast<std::uint32_t>(::gnu_dev_major(status.st_rdev));
        const auto minor = static_cast<std::uint32_t>(::gnu_dev_minor(status.st_rdev));
        // Linux's old and new form of a device number, linux/kdev_t.h
        if (major < 256 && minor < 256)
            inode.i_block[0] = major << 8 | minor;
        else
            inode.i_block[1] = (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
    }
    state_->write(number, inode);
}

void ExtFilesystem::write_directory(Inode number, Inode parent, const struct stat& status,
                                    std::vector<DirectoryEntry> entries) {
    auto* fs = state_->fs;
    auto inode = inode_of(status);
    std::vector<BlockRun> runs;
    if (number == kRoot) {
        blk64_t first = 0;
        check_ext(::ext2fs_bmap2(fs, kRoot, nullptr, nullptr, 0, 0, nullptr, &first), "find the root directory");
        runs.push_back({0, first, 1});
        entries.insert(entries.begin(), {"lost+found", EXT2_FIRST_INO(fs->super), S_IFDIR});
    }
    const auto blocks = directory_blocks(fs, number, parent, entries);
    for (std::uint64_t logical = runs.size(); logical < blocks.size();) {
        const auto run = state_->blocks->take(logical, blocks.size() - logical);
        append_run(runs, run);
        logical += run.count;
    }
    for (const auto& run : runs)
        for (std::uint64_t i = 0; i < run.count; ++i) {
            auto block = blocks[run.logical + i];
            check_ext(::ext2fs_write_dir_block4(fs, run.physical + i, block.data(), 0, number), "write a directory");
        }
    set_size(inode, blocks.size() * kExtBlock);
    const auto directories = std::ranges::count_if(entries, [](const auto& entry) { return S_ISDIR(entry.mode); });
    // ext4 stops counting at 65000 (dir_nlink): one then stands for "many"
    inode.i_links_count = directories + 2 > EXT2_LINK_MAX ? 1 : static_cast<std::uint16_t>(directories + 2);
    map_blocks(fs, number, inode, runs);
    state_->write(number, inode);
}

void ExtFilesystem::set_links(Inode number, std::uint32_t count) {
    if (count > EXT2_LINK_MAX)
        throw error(ErrorKind::disk, "cannot write a file with {} hard links: {} are the most", count, EXT2_LINK_MAX);
    ext2_inode_large inode{};
    check_ext(::ext2fs_read_inode_full(state_->fs, number, EXT2_INODE(&inode), sizeof inode), "read an inode");
    inode.i_links_count = static_cast<std::uint16_t>(count);
    check_ext(::ext2fs_write_inode(state_->fs, number, EXT2_INODE(&inode)), "write an inode");
}

void ExtFilesystem::set_attributes(Inode number, const std::vector<os::ExtendedAttribute>& attributes) {
    ext2_xattr_handle* handle = nullptr;
    check_ext(::ext2fs_xattrs_open(state_->fs, number, &handle), "open extended attributes");
    auto code = ::ext2fs_xattrs_read(handle);
    for (const auto& attribute : attributes)
        if (code == 0)
            code = ::ext2fs_xattr_set(handle, attribute.name.c_str(), attribute.value.data(), attribute.value.size());
    const auto closed = ::ext2fs_xattrs_close(&handle);  // set() has written
    check_ext(code != 0 ? code : closed, "write extended attributes");
}

void ExtFilesystem::finish() {
    // no fsync: an image that a power failure breaks is built again
    check_ext(::ext2fs_close2(state_->fs, EXT2_FLAG_FLUSH_NO_SYNC), "write the file system's tables");
    state_->fs = nullptr;
    state_->set_magic(EXT2_SUPER_MAGIC);
}

}  // namespace vprov::partition
