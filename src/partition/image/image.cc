#include "partition/image/image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "os/fd.h"
#include "partition/image/ext_filesystem.h"
#include "partition/image/mke2fs.h"
#include "partition/image/swap.h"
#include "partition/image/tree_size.h"
#include "partition/image/tree_writer.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

// mke2fs takes 0 for "now"; a file system without a tree has no date of its own.
constexpr std::int64_t kNoDate = 1;

// A sparse file of the disk's size; removed again unless kept.
class NewImage {
  public:
    NewImage(fs::path path, Bytes size) : path_(std::move(path)) {
        fd_ = os::open_file(path_, O_RDWR | O_CREAT | O_EXCL, 0600);  // it holds password hashes and host keys
        if (::ftruncate(fd_.get(), static_cast<off_t>(size.value)) != 0) {
            const int why = errno;
            remove();
            throw system_error(ErrorKind::disk, why,
                               fmt::format("cannot make {} of {}", quote(path_.native()), human(size)));
        }
    }
    ~NewImage() {
        if (!kept_)
            remove();
    }
    NewImage(const NewImage&) = delete;
    NewImage& operator=(const NewImage&) = delete;

    const fs::path& path() const { return path_; }
    int fd() const { return fd_.get(); }
    void keep() { kept_ = true; }

  private:
    void remove() const noexcept {
        std::error_code ignored;
        fs::remove(path_, ignored);
    }

    fs::path path_;
    os::Fd fd_;
    bool kept_ = false;
};

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

Error too_small(const Volume& volume, const TreeSize& tree, const fs::path& image) {
    return error(ErrorKind::disk, "cannot write {}: the tree needs about {}, the disk has {}",
                 image.filename().native(), human(tree.content + overhead(volume)), human(volume.size));
}

void check_room(const Volume& volume, const TreeSize& tree, const fs::path& image) {
    if ((tree.content + overhead(volume)) > volume.size)
        throw too_small(volume, tree, image);
    const auto inodes = volume.size.value / bytes_per_inode(volume.size);
    if (tree.inodes > inodes)
        throw error(ErrorKind::disk, "cannot write {}: the tree has {} files, a file system of {} has room for {}",
                    image.filename().native(), tree.inodes, human(volume.size), inodes);
}

void run_mke2fs(const Volume& volume, const fs::path& image, std::int64_t epoch, os::CommandRunner& runner) {
    const auto command = mke2fs(volume, image, epoch);
    os::CommandResult result;
    try {
        result = runner.run(command);
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        throw error(ErrorKind::disk, "cannot write {}: {} (install e2fsprogs)", image.filename().native(), e.message());
    }
    if (!result.ok())
        throw error(ErrorKind::disk, "cannot write {}: {}", image.filename().native(),
                    os::describe_failure(command, result));
}

void fill(const Volume& volume, const TreePart& part, const TreeSize& size, const fs::path& image) {
    try {
        ExtFilesystem filesystem(image, std::max(size.newest, kNoDate));
        write_tree(filesystem, part, volume.mount == "/" ? RootMode::system : RootMode::as_in_tree);
        filesystem.finish();
    } catch (const FullFilesystem&) {
        throw too_small(volume, size, image);
    } catch (Error& e) {
        if (e.kind() == ErrorKind::disk)
            e.add_context(image.filename().native());
        throw;
    }
}

bool is_inside(std::string_view path, std::string_view folder) {
    return folder == "/" ? path.size() > 1
                         : path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

// Where `mount` is in the tree; "" if nothing is there.
fs::path mount_point(const fs::path& tree, const std::string& mount) {
    auto path = mount == "/" ? tree : tree / fs::path(mount).relative_path();
    std::error_code wrong;
    const auto status = fs::symlink_status(path, wrong);
    if (status.type() == fs::file_type::not_found)
        return {};
    // a link that a package brought could lead to a directory of this host
    if (status.type() != fs::file_type::directory || fs::canonical(path, wrong) != path.lexically_normal())
        throw error(ErrorKind::disk, "cannot mount at {}: in the guest it is no directory, or reached through a link",
                    quote(mount));
    return path;
}

}  // namespace

TreePart part_for(const Volume& volume, const DiskLayout& layout, const fs::path& tree) {
    const auto root = fs::canonical(tree);
    TreePart part{mount_point(root, volume.mount)};
    for (const auto* other : layout.volumes())
        if (!other->mount.empty() && is_inside(other->mount, volume.mount))
            if (const auto folder = mount_point(root, other->mount); !folder.empty())
                part.left_out.insert(folder);
    return part;
}

void write_filesystem(const Volume& volume, const TreePart& part, const fs::path& image, os::CommandRunner& runner) {
    auto size = measure(part.top, part.left_out);
    size.inodes += part.added.size();
    check_room(volume, size, image);
    NewImage file(image, volume.size);
    run_mke2fs(volume, image, std::max(size.newest, kNoDate), runner);
    fill(volume, part, size, image);
    file.keep();
}

void write_filesystem(const Volume& volume, const fs::path& tree, const fs::path& image, os::CommandRunner& runner) {
    write_filesystem(volume, TreePart{tree}, image, runner);
}

void write_empty(const Volume& volume, const fs::path& image, os::CommandRunner& runner) {
    NewImage file(image, volume.size);
    if (volume.filesystem == Filesystem::swap)
        os::write_all(file.fd(), swap_header(volume.size, volume.uuid, volume.label), image.native());
    else
        run_mke2fs(volume, image, kNoDate, runner);
    file.keep();
}

}  // namespace vprov::partition
