#include "partition/image/ext_editor.h"

#include <et/com_err.h>
#include <ext2fs/ext2fs.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "partition/image/ext_blocks.h"
#include "partition/image/ext_checksums.h"
#include "partition/image/ext_directory.h"

namespace vprov::partition {
namespace {

constexpr std::size_t kLongestInline = 59;  // a symbolic link's target that stands in the inode itself

std::pair<std::string, std::string> split_path(std::string_view path) {
    const auto slash = path.rfind('/');
    if (path.empty() || path.front() != '/' || slash + 1 == path.size())
        throw error(ErrorKind::internal, "internal error: {} names no file of an image", quote(path));
    return {std::string(slash == 0 ? "/" : path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

int entry_type(unsigned mode) {
    return S_ISDIR(mode) ? EXT2_FT_DIR : S_ISLNK(mode) ? EXT2_FT_SYMLINK : EXT2_FT_REG_FILE;
}

void set_owner(ext2_inode_large& inode, const FileAttributes& attributes) {
    inode.i_uid = static_cast<std::uint16_t>(attributes.uid);
    inode.i_gid = static_cast<std::uint16_t>(attributes.gid);
    ext2fs_set_i_uid_high(inode, static_cast<std::uint16_t>(attributes.uid >> 16));
    ext2fs_set_i_gid_high(inode, static_cast<std::uint16_t>(attributes.gid >> 16));
}

}  // namespace

struct ExtEditor::State {
    ext2_filsys fs = nullptr;
    std::optional<BlockAllocator> blocks;
    std::int64_t date = 0;

    ~State() {
        if (fs)
            ::ext2fs_free(fs);
    }

    std::optional<ext2_ino_t> find(const std::string& path, bool follow) const {
        ext2_ino_t number = 0;
        const auto code = follow ? ::ext2fs_namei_follow(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path.c_str(), &number)
                                 : ::ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path.c_str(), &number);
        if (code == EXT2_ET_FILE_NOT_FOUND || code == EXT2_ET_NO_DIRECTORY)
            return std::nullopt;
        check_ext(code, "find " + quote(path));
        return number;
    }

    ext2_ino_t folder(const std::string& path) const {
        if (const auto number = find(path, true))
            return *number;
        throw error(ErrorKind::disk, "cannot find the directory {} in the image", quote(path));
    }

    ext2_inode_large read(ext2_ino_t number) const {
        ext2_inode_large inode{};
        check_ext(::ext2fs_read_inode_full(fs, number, EXT2_INODE(&inode), sizeof inode), "read an inode");
        return inode;
    }

    void write(ext2_ino_t number, ext2_inode_large& inode) const {
        check_ext(::ext2fs_write_inode_full(fs, number, EXT2_INODE(&inode), sizeof inode), "write an inode");
    }

    // Nothing of an earlier inode of that number stays, extended attributes neither.
    void write_new(ext2_ino_t number, const ext2_inode_large& inode) const {
        std::vector<char> bytes(EXT2_INODE_SIZE(fs->super), '\0');
        std::memcpy(bytes.data(), &inode, sizeof inode);
        check_ext(::ext2fs_write_inode_full(fs, number, reinterpret_cast<ext2_inode*>(bytes.data()),
                                            static_cast<int>(bytes.size())),
                  "write an inode");
    }

    void set_times(ext2_inode_large& inode) const {
        const auto seconds = static_cast<std::uint32_t>(date);
        const auto extra = static_cast<std::uint32_t>((date - static_cast<std::int32_t>(date)) >> 32) & 3U;
        inode.i_mtime = inode.i_atime = inode.i_ctime = inode.i_crtime = seconds;
        inode.i_mtime_extra = inode.i_atime_extra = inode.i_ctime_extra = inode.i_crtime_extra = extra;
        inode.i_extra_isize = sizeof(ext2_inode_large) - EXT2_GOOD_OLD_INODE_SIZE;
    }

    ext2_inode_large new_inode(unsigned type, const FileAttributes& attributes) const {
        ext2_inode_large inode{};
        inode.i_mode = static_cast<std::uint16_t>(type | attributes.mode);
        inode.i_links_count = 1;
        set_owner(inode, attributes);
        set_times(inode);
        return inode;
    }

    ext2_ino_t allocate(ext2_ino_t parent, unsigned mode) const {
        ext2_ino_t number = 0;
        check_ext(::ext2fs_new_inode(fs, parent, static_cast<int>(mode), nullptr, &number), "find a free inode");
        ::ext2fs_inode_alloc_stats2(fs, number, +1, S_ISDIR(mode));
        return number;
    }

    void link(ext2_ino_t parent, const std::string& name, ext2_ino_t number, unsigned mode) const {
        auto code = ::ext2fs_link(fs, parent, name.c_str(), number, entry_type(mode));
        if (code == EXT2_ET_DIR_NO_SPACE) {
            check_ext(::ext2fs_expand_dir(fs, parent), "enlarge a directory");
            code = ::ext2fs_link(fs, parent, name.c_str(), number, entry_type(mode));
        }
        check_ext(code, "add " + quote(name));
        touch(parent, S_ISDIR(mode) ? +1 : 0);
    }

    void touch(ext2_ino_t folder, int links) const {
        auto inode = read(folder);
        inode.i_links_count = static_cast<std::uint16_t>(inode.i_links_count + links);
        const auto seconds = static_cast<std::uint32_t>(date);
        inode.i_mtime = inode.i_atime = inode.i_ctime = seconds;
        inode.i_mtime_extra = inode.i_atime_extra = inode.i_ctime_extra = 0;
        write(folder, inode);
    }

    // The content's blocks, in one piece where there is one.
    void store(ext2_ino_t number, ext2_inode_large& inode, std::string_view content) {
        inode.i_size = static_cast<std::uint32_t>(content.size());
        inode.i_size_high = static_cast<std::uint32_t>(static_cast<std::uint64_t>(content.size()) >> 32);
        const auto count = (content.size() + kExtBlock - 1) / kExtBlock;
        std::string padded(content);
        padded.resize(count * kExtBlock, '\0');
        std::vector<BlockRun> runs;
        for (std::uint64_t logical = 0; logical < count;) {
            const auto run = blocks->take(logical, count - logical);
            check_ext(::io_channel_write_blk64(fs->io, run.physical, static_cast<int>(run.count),
                                               padded.data() + logical * kExtBlock),
                      "write a file");
            append_run(runs, run);
            logical += run.count;
        }
        write_new(number, inode);  // map_blocks() may write it once more, and reads it first
        map_blocks(fs, number, inode, runs);
    }

    void release(ext2_ino_t number, ext2_inode_large& inode) const {
        if (inode.i_links_count > 1 && !S_ISDIR(inode.i_mode)) {
            --inode.i_links_count;
            return write(number, inode);
        }
        if (::ext2fs_inode_has_valid_blocks2(fs, EXT2_INODE(&inode)))
            check_ext(::ext2fs_punch(fs, number, EXT2_INODE(&inode), nullptr, 0, ~0ULL), "free a file's blocks");
        ::ext2fs_free_ext_attr(fs, number, &inode);
        const auto mode = inode.i_mode;
        write_new(number, {});
        ::ext2fs_inode_alloc_stats2(fs, number, -1, S_ISDIR(mode));
    }

    void unlink(ext2_ino_t parent, const std::string& name, ext2_ino_t number) const {
        auto inode = read(number);
        const bool folder = S_ISDIR(inode.i_mode);
        check_ext(::ext2fs_unlink(fs, parent, name.c_str(), number, 0), "remove " + quote(name));
        touch(parent, folder ? -1 : 0);
        release(number, inode);
    }

    // Where the file will be, with whatever had that name gone.
    std::pair<ext2_ino_t, std::string> cleared(std::string_view path) const {
        auto [place, name] = split_path(path);
        const auto parent = folder(place);
        if (const auto found = find(std::string(path), false)) {
            if (S_ISDIR(read(*found).i_mode))
                throw error(ErrorKind::disk, "cannot write {} in the image: it is a directory", quote(path));
            unlink(parent, name, *found);
        }
        return {parent, name};
    }
};

ExtEditor::ExtEditor(const std::filesystem::path& image, Bytes offset, std::int64_t date)
    : state_(std::make_unique<State>()) {
    ::initialize_ext2_error_table();
    state_->date = date;
    const auto options = fmt::format("offset={}", offset.value);
    check_ext(::ext2fs_open2(image.c_str(), offset.value == 0 ? nullptr : options.c_str(),
                             EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, ::unix_io_manager, &state_->fs),
              "open the file system in " + quote(image.native()));
    state_->fs->now = static_cast<time_t>(date);
    if (state_->fs->blocksize != kExtBlock || EXT2_INODE_SIZE(state_->fs->super) < sizeof(ext2_inode_large))
        throw error(ErrorKind::disk, "cannot change {}: its file system was not made by vprov", quote(image.native()));
    check_ext(::ext2fs_read_bitmaps(state_->fs), "read the file system in " + quote(image.native()));
    state_->blocks.emplace(state_->fs);
}

ExtEditor::~ExtEditor() = default;

bool ExtEditor::exists(std::string_view path) const {
    return state_->find(std::string(path), false).has_value();
}

void ExtEditor::write_file(std::string_view path, const FileAttributes& attributes, std::string_view content) {
    const auto [parent, name] = state_->cleared(path);
    auto inode = state_->new_inode(S_IFREG, attributes);
    const auto number = state_->allocate(parent, inode.i_mode);
    state_->store(number, inode, content);
    state_->write(number, inode);
    state_->link(parent, name, number, inode.i_mode);
}

void ExtEditor::make_link(std::string_view path, const FileAttributes& attributes, std::string_view target) {
    const auto [parent, name] = state_->cleared(path);
    auto inode = state_->new_inode(S_IFLNK, {0777, attributes.uid, attributes.gid});
    const auto number = state_->allocate(parent, inode.i_mode);
    if (target.size() <= kLongestInline) {
        std::memcpy(&inode.i_block[0], target.data(), target.size());
        inode.i_size = static_cast<std::uint32_t>(target.size());
        state_->write_new(number, inode);
    } else {
        state_->store(number, inode, target);
        state_->write(number, inode);
    }
    state_->link(parent, name, number, inode.i_mode);
}

void ExtEditor::make_directory(std::string_view path, const FileAttributes& attributes) {
    if (const auto found = state_->find(std::string(path), true)) {
        if (!S_ISDIR(state_->read(*found).i_mode))
            throw error(ErrorKind::disk, "cannot make the directory {} in the image: it is a file", quote(path));
        return;
    }
    const auto [place, name] = split_path(path);
    const auto parent = state_->folder(place);
    auto inode = state_->new_inode(S_IFDIR, attributes);
    inode.i_links_count = 2;
    const auto number = state_->allocate(parent, inode.i_mode);
    auto block = directory_blocks(state_->fs, number, parent, {}).front();
    const auto run = state_->blocks->take(0, 1);
    inode.i_size = kExtBlock;
    state_->write_new(number, inode);
    map_blocks(state_->fs, number, inode, {run});
    state_->write(number, inode);
    check_ext(::ext2fs_write_dir_block4(state_->fs, run.physical, block.data(), 0, number), "write a directory");
    state_->link(parent, name, number, inode.i_mode);
}

void ExtEditor::set_attributes(std::string_view path, const FileAttributes& attributes) {
    const auto found = state_->find(std::string(path), false);
    if (!found)
        throw error(ErrorKind::disk, "cannot find {} in the image", quote(path));
    auto inode = state_->read(*found);
    inode.i_mode = static_cast<std::uint16_t>((inode.i_mode & S_IFMT) | attributes.mode);
    set_owner(inode, attributes);
    state_->write(*found, inode);
}

void ExtEditor::remove(std::string_view path) {
    const auto [place, name] = split_path(path);
    if (const auto found = state_->find(std::string(path), false))
        state_->unlink(state_->folder(place), name, *found);
}

void ExtEditor::overwrite(std::string_view path, std::uint64_t offset, std::string_view bytes) {
    const auto found = state_->find(std::string(path), false);
    if (!found)
        throw error(ErrorKind::disk, "cannot find {} in the image", quote(path));
    auto inode = state_->read(*found);
    for (std::size_t done = 0; done < bytes.size();) {
        const auto place = offset + done;
        blk64_t physical = 0;
        check_ext(
            ::ext2fs_bmap2(state_->fs, *found, EXT2_INODE(&inode), nullptr, 0, place / kExtBlock, nullptr, &physical),
            "find the blocks of " + quote(path));
        const auto within = place % kExtBlock;
        const auto count = std::min<std::size_t>(bytes.size() - done, kExtBlock - within);
        if (physical == 0)
            throw error(ErrorKind::disk, "cannot change {} in the image: it has a hole there", quote(path));
        std::vector<char> block(kExtBlock);
        check_ext(::io_channel_read_blk64(state_->fs->io, physical, 1, block.data()), "read " + quote(path));
        std::ranges::copy(bytes.substr(done, count), block.begin() + static_cast<std::ptrdiff_t>(within));
        check_ext(::io_channel_write_blk64(state_->fs->io, physical, 1, block.data()), "write " + quote(path));
        done += count;
    }
}

void ExtEditor::set_uuid(const Uuid& uuid) {
    auto* super = state_->fs->super;
    std::ranges::copy(uuid.bytes, super->s_uuid);
    std::memcpy(super->s_hash_seed, uuid.bytes.data(), sizeof super->s_hash_seed);
    write_checksums_anew(state_->fs);
}

void ExtEditor::finish() {
    check_ext(::ext2fs_close2(state_->fs, EXT2_FLAG_FLUSH_NO_SYNC), "write the file system's tables");
    state_->fs = nullptr;
}

}  // namespace vprov::partition
