#include "partition/compare/ext_listing.h"

#include <ext2fs/ext2fs.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "os/interrupt.h"

namespace vprov::partition {
namespace {

constexpr std::size_t kBuffer = 1 << 20, kInlineTarget = 60;

void check(errcode_t code, const std::string& what) {
    if (code != 0)
        throw error(ErrorKind::disk, "cannot read {}: {}", what, ::error_message(code));
}

struct FreeFilesystem {
    void operator()(struct_ext2_filsys* fs) const { ::ext2fs_free(fs); }
};
using Filesystem2 = std::unique_ptr<struct_ext2_filsys, FreeFilesystem>;

Filesystem2 opened(const std::filesystem::path& image, Bytes offset) {
    ::initialize_ext2_error_table();
    ext2_filsys fs = nullptr;
    const auto options = fmt::format("offset={}", offset.value);
    check(::ext2fs_open2(image.c_str(), offset.value == 0 ? nullptr : options.c_str(), EXT2_FLAG_64BITS, 0, 0,
                         ::unix_io_manager, &fs),
          "the file system in " + quote(image.native()));
    return Filesystem2(fs);
}

class OpenedFile {
  public:
    OpenedFile(ext2_filsys fs, ext2_ino_t inode, const std::string& path) : path_(path) {
        check(::ext2fs_file_open(fs, inode, 0, &file_), quote(path));
    }
    ~OpenedFile() { ::ext2fs_file_close(file_); }
    OpenedFile(const OpenedFile&) = delete;
    OpenedFile& operator=(const OpenedFile&) = delete;

    std::string_view next() {
        os::check_stop();
        unsigned count = 0;
        check(::ext2fs_file_read(file_, buffer_.data(), static_cast<unsigned>(buffer_.size()), &count), quote(path_));
        return {buffer_.data(), count};
    }

  private:
    ext2_file_t file_ = nullptr;
    std::string path_, buffer_ = std::string(kBuffer, '\0');
};

int take_name(ext2_dir_entry* entry, int, int, char*, void* into) {
    const std::string name(entry->name, static_cast<std::size_t>(::ext2fs_dirent_name_len(entry)));
    if (name != "." && name != "..")
        static_cast<std::map<std::string, ext2_ino_t>*>(into)->emplace(name, entry->inode);
    return 0;
}

int take_attribute(char* name, char* value, size_t length, void* into) {
    static_cast<std::vector<os::ExtendedAttribute>*>(into)->push_back({name, std::string(value, length)});
    return 0;
}

dev_t device_of(const ext2_inode_large& inode) {
    if (inode.i_block[0] != 0)  // the old form, of 8 bits each
        return makedev(inode.i_block[0] >> 8 & 0xff, inode.i_block[0] & 0xff);
    const auto both = inode.i_block[1];
    return makedev(both >> 8 & 0xfff, (both & 0xff) | (both >> 12 & 0xfff00));
}

std::int64_t mtime_of(const ext2_inode_large& inode) {
    return static_cast<std::int32_t>(inode.i_mtime) + (static_cast<std::int64_t>(inode.i_mtime_extra & 3U) << 32);
}

class ExtLister {
  public:
    explicit ExtLister(ext2_filsys fs) : fs_(fs) {}

    void list(ext2_ino_t folder, const std::string& path) {
        if (!folders_.insert(folder).second)
            throw error(ErrorKind::disk, "cannot read the file system: {} is a directory twice", quote(path));
        std::map<std::string, ext2_ino_t> names;
        check(::ext2fs_dir_iterate(fs_, folder, 0, nullptr, take_name, &names), quote(path + "/"));
        for (const auto& [name, inode] : names)
            if (!path.empty() || name != "lost+found")
                add(path + "/" + name, inode);
    }

    TreeListing take() { return std::move(listing_); }

  private:
    void add(const std::string& path, ext2_ino_t number) {
        ext2_inode_large inode{};
        check(::ext2fs_read_inode_full(fs_, number, EXT2_INODE(&inode), sizeof inode), quote(path));
        auto& file = listing_[path];
        file.mode = inode.i_mode;
        file.uid = inode_uid(inode);
        file.gid = inode_gid(inode);
        file.mtime = mtime_of(inode);
        file.attributes = attributes_of(number, path);
        if (S_ISCHR(inode.i_mode) || S_ISBLK(inode.i_mode))
            file.device = device_of(inode);
        if (S_ISREG(inode.i_mode)) {
            file.size = EXT2_I_SIZE(&inode);
            file.content = digest_of(number, path);
        } else if (S_ISLNK(inode.i_mode)) {
            file.content = target_of(number, inode, path);
        } else if (S_ISDIR(inode.i_mode)) {
            return list(number, path);
        }
        if (inode.i_links_count > 1)
            if (const auto [first, is_first] = linked_.try_emplace(number, path); !is_first)
                file.same_as = first->second;
    }

    std::string digest_of(ext2_ino_t inode, const std::string& path) const {
        OpenedFile file(fs_, inode, path);
        Hasher hasher(DigestKind::sha256);
        for (auto part = file.next(); !part.empty(); part = file.next()) hasher.update(part.data(), part.size());
        return hasher.hex();
    }

    std::string target_of(ext2_ino_t number, ext2_inode_large& inode, const std::string& path) const {
        if (::ext2fs_is_fast_symlink(EXT2_INODE(&inode)) != 0)
            return {reinterpret_cast<const char*>(inode.i_block), std::min<std::size_t>(inode.i_size, kInlineTarget)};
        return std::string(OpenedFile(fs_, number, path).next());
    }

    std::vector<os::ExtendedAttribute> attributes_of(ext2_ino_t inode, const std::string& path) const {
        ext2_xattr_handle* handle = nullptr;
        check(::ext2fs_xattrs_open(fs_, inode, &handle), quote(path));
        const std::unique_ptr<ext2_xattr_handle, void (*)(ext2_xattr_handle*)> held(
            handle, [](ext2_xattr_handle* opened) { ::ext2fs_xattrs_close(&opened); });
        std::vector<os::ExtendedAttribute> attributes;
        check(::ext2fs_xattrs_read(handle), quote(path));
        check(::ext2fs_xattrs_iterate(handle, take_attribute, &attributes), quote(path));
        std::ranges::sort(attributes, {}, &os::ExtendedAttribute::name);
        return attributes;
    }

    ext2_filsys fs_;
    TreeListing listing_;
    std::map<ext2_ino_t, std::string> linked_;
    std::set<ext2_ino_t> folders_;
};

}  // namespace

TreeListing list_ext(const std::filesystem::path& image, Bytes offset) {
    const auto fs = opened(image, offset);
    ExtLister lister(fs.get());
    lister.list(EXT2_ROOT_INO, "");
    return lister.take();
}

std::optional<std::string> read_ext_file(const std::filesystem::path& image, Bytes offset, const std::string& path) {
    const auto fs = opened(image, offset);
    ext2_ino_t number = 0;
    ext2_inode inode{};
    if (::ext2fs_namei(fs.get(), EXT2_ROOT_INO, EXT2_ROOT_INO, path.c_str(), &number) != 0)
        return std::nullopt;
    check(::ext2fs_read_inode(fs.get(), number, &inode), quote(path));
    if (!S_ISREG(inode.i_mode) || EXT2_I_SIZE(&inode) > kBuffer)
        return std::nullopt;
    std::string content;
    OpenedFile file(fs.get(), number, path);
    for (auto part = file.next(); !part.empty(); part = file.next()) content += part;
    return content;
}

}  // namespace vprov::partition
