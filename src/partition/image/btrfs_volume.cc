#include "partition/image/btrfs_volume.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "os/temp_dir.h"
#include "os/tree_files.h"
#include "partition/image/made_apart.h"
#include "partition/image/mkfs.h"
#include "partition/image/private_mounts.h"

namespace vprov::partition {
namespace fs = std::filesystem;
namespace {

// An empty directory that looks like `original` from the outside.
void make_likeness(const fs::path& original, const fs::path& copy) {
    const auto status = os::status_of(original);
    fs::create_directory(copy);
    const timespec times[2] = {status.st_mtim, status.st_mtim};
    bool made =
        ::chown(copy.c_str(), status.st_uid, status.st_gid) == 0 && ::chmod(copy.c_str(), status.st_mode & 07777) == 0;
    for (const auto& attribute : os::attributes_of(original))
        made = made &&
               ::setxattr(copy.c_str(), attribute.name.c_str(), attribute.value.data(), attribute.value.size(), 0) == 0;
    if (!made || ::utimensat(AT_FDCWD, copy.c_str(), times, 0) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot make " + quote(copy.native()));
}

// Covers the directories that are left out. On the tree's own file system: mkfs.btrfs tells files by their inodes.
void cover(const TreePart& part, const fs::path& scratch) {
    unsigned number = 0;
    for (const auto& folder : part.left_out) {
        if (fs::is_empty(folder))
            continue;
        const auto empty = scratch / std::to_string(number++);
        make_likeness(folder, empty);
        bind_mount(empty, folder);
    }
}

// The work directory is its owner's alone; the guest's root is not.
class OpenedRoot {
  public:
    OpenedRoot(const Volume& volume, const TreePart& part) : top_(part.top) {
        if (volume.mount != "/" || top_.empty())
            return;
        before_ = os::status_of(top_).st_mode & 07777;
        changed_ = ::chmod(top_.c_str(), 0755) == 0;
    }
    ~OpenedRoot() {
        if (changed_)
            (void)!::chmod(top_.c_str(), before_);
    }
    OpenedRoot(const OpenedRoot&) = delete;
    OpenedRoot& operator=(const OpenedRoot&) = delete;

  private:
    fs::path top_;
    mode_t before_ = 0;
    bool changed_ = false;
};

}  // namespace

os::Command mkfs_btrfs(const Volume& volume, const fs::path& tree, const fs::path& target) {
    os::Command command;
    command.argv = {"mkfs.btrfs", "-q", "-f", "-K", "-U", volume.uuid.text()};
    if (!volume.label.empty())
        command.argv.insert(command.argv.end(), {"-L", volume.label});
    if (!tree.empty())
        command.argv.insert(command.argv.end(), {"--rootdir", tree.string()});
    command.argv.push_back(target.string());
    command.environment = os::clean_environment();
    return command;
}

void write_btrfs(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner) {
    make_apart(place, volume.size, [&](const fs::path& target) {
        const auto make = [&] { run_mkfs(mkfs_btrfs(volume, part.top, target), place, "btrfs-progs", runner); };
        if (part.top.empty())
            return make();
        const auto content = btrfs_size(measure(part.top, part.left_out), {});
        if (content > volume.size)
            throw error(ErrorKind::disk, "cannot write {}: the tree needs about {}, the disk has {}", place.title,
                        human(content), human(volume.size));
        const OpenedRoot root(volume, part);
        const os::TempDir scratch(place.scratch, ".btrfs-");
        in_private_mounts([&] {
            cover(part, scratch.path());
            make();
        });
    });
}

// Metadata is kept twice, and small files in it; 114294784 bytes are the least.
Bytes btrfs_size(const TreeSize& tree, Bytes room) {
    const auto content = tree.content + room;
    return {content.value + content.value / 32 + tree.inodes * 1024 + (112_MiB).value};
}

}  // namespace vprov::partition
