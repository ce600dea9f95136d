#include "partition/image/btrfs_volume.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "os/temp_dir.h"
#include "os/tree_files.h"
#include "partition/image/made_apart.h"
#include "partition/image/mkfs.h"
#include "partition/image/private_mounts.h"
#include "partition/image/same_bytes.h"

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

// Files in the places of the devices that the tree lacks, for as long as this lives; mkfs.btrfs takes them for those.
class StandingIn {
  public:
    explicit StandingIn(const std::vector<AddedNode>& nodes) {
        try {
            for (const auto& node : nodes) add(node);
            for (const auto& [folder, status] : folders_) set_time(folder, status);
        } catch (...) {
            remove();
            throw;
        }
    }
    ~StandingIn() { remove(); }
    StandingIn(const StandingIn&) = delete;
    StandingIn& operator=(const StandingIn&) = delete;

    const std::vector<StandingNode>& nodes() const { return nodes_; }

  private:
    void add(const AddedNode& node) {
        const auto folder = node.path.parent_path();
        folders_.emplace(folder, os::status_of(folder));
        const auto file = os::open_file(node.path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        files_.push_back(node.path);
        set_time(node.path, folders_.at(folder));
        nodes_.push_back({os::status_of(node.path).st_ino, node.mode, node.device});
    }

    static void set_time(const fs::path& path, const struct stat& status) {
        const timespec times[2] = {status.st_mtim, status.st_mtim};
        if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
            throw system_error(ErrorKind::disk, errno, "cannot set the time of " + quote(path.native()));
    }

    void remove() const noexcept {
        for (const auto& file : files_) ::unlink(file.c_str());
        for (const auto& [folder, status] : folders_) {
            const timespec times[2] = {status.st_mtim, status.st_mtim};
            (void)!::utimensat(AT_FDCWD, folder.c_str(), times, 0);
        }
    }

    std::map<fs::path, struct stat> folders_;
    std::vector<fs::path> files_;
    std::vector<StandingNode> nodes_;
};

constexpr unsigned kUuids = 8;       // 6.2 draws three
constexpr std::int64_t kNoDate = 1;  // of a file system without a tree

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

void write_the_same(os::Command& command, const Volume& volume, const SameBytes& as) {
    std::vector<std::string> uuids, nodes;
    for (unsigned i = 0; i < kUuids; ++i)
        uuids.push_back(Uuid::derived(volume.uuid.text(), fmt::format("btrfs {}", i)).text());
    for (const auto& node : as.nodes)
        nodes.push_back(fmt::format("{:x}:{:x}:{:x}", node.inode, node.mode, node.device));
    command.environment["LD_PRELOAD"] = as.library.native();
    command.environment["VPROV_TIME"] = std::to_string(as.date);
    command.environment["VPROV_UUIDS"] = joined(uuids, " ");
    if (!nodes.empty())
        command.environment["VPROV_NODES"] = joined(nodes, " ");
}

void write_btrfs(const Volume& volume, const TreePart& part, const Place& place, os::CommandRunner& runner) {
    make_apart(place, volume.size, [&](const fs::path& target) {
        const os::TempDir scratch(place.scratch, ".btrfs-");
        SameBytes as{scratch.path() / "same-bytes.so", kNoDate, {}};
        os::write_file(as.library, same_bytes_library());
        const auto make = [&] {
            auto command = mkfs_btrfs(volume, part.top, target);
            write_the_same(command, volume, as);
            run_mkfs(command, place, "btrfs-progs", runner);
        };
        if (part.top.empty())
            return make();
        const auto tree = measure(part.top, part.left_out);
        const auto content = btrfs_size(tree, {});
        if (content > volume.size)
            throw error(ErrorKind::disk, "cannot write {}: the tree needs about {}, the disk has {}", place.title,
                        human(content), human(volume.size));
        as.date = std::max(tree.newest, kNoDate);
        const OpenedRoot root(volume, part);
        const StandingIn devices(part.added);
        as.nodes = devices.nodes();
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
