#include "pipeline/tree_target.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "bootstrap/pack/squashfs.h"
#include "os/fd.h"
#include "partition/image/image.h"
#include "partition/image/mke2fs.h"
#include "partition/image/tree_size.h"
#include "pipeline/join_directories.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

struct Ending {
    std::string_view text;
    TargetKind kind;
    pack::Compression compression;
};
constexpr std::array<Ending, 10> kEndings = {{{".tar", TargetKind::tar, pack::Compression::none},
                                              {".tar.gz", TargetKind::tar, pack::Compression::gzip},
                                              {".tgz", TargetKind::tar, pack::Compression::gzip},
                                              {".tar.xz", TargetKind::tar, pack::Compression::xz},
                                              {".txz", TargetKind::tar, pack::Compression::xz},
                                              {".tar.zst", TargetKind::tar, pack::Compression::zstd},
                                              {".tzst", TargetKind::tar, pack::Compression::zstd},
                                              {".squashfs", TargetKind::squashfs, pack::Compression::none},
                                              {".sqfs", TargetKind::squashfs, pack::Compression::none},
                                              {".ext4", TargetKind::ext4, pack::Compression::none}}};

bool is_mount_point(const fs::path& path) {
    struct statx status {};
    return ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) == 0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

// A new file system has lost+found, and a run that was killed leaves its work directory to the next.
bool is_empty_but_for_leftovers(const fs::path& folder) {
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(folder, failure)) {
        const auto name = entry.path().filename();
        if (name != "lost+found" && !name.native().starts_with(".vprov-build-"))
            return false;
    }
    return true;
}

// By a rename: no mount point, nothing in it, and a parent that may be written (a container's may not).
bool is_replaceable(const fs::path& folder) {
    std::error_code failure;
    return !fs::exists(folder, failure) || (!is_mount_point(folder) && fs::is_empty(folder, failure) &&
                                            ::access(folder.parent_path().c_str(), W_OK) == 0);
}

bool holds_a_system(const fs::path& folder) {
    std::error_code failure;
    const auto size = fs::file_size(folder / "var/lib/dpkg/status", failure);
    return !failure && size > 0;
}

void check_directory(const fs::path& path, Content allowed) {
    const auto refused = [&](std::string_view why) {
        return error(ErrorKind::usage, "cannot bootstrap into {}: {}", quote(path.native()), why);
    };
    if (path == path.root_path())
        throw refused("it is this system's root directory");
    if (!fs::exists(path))
        return;
    if (!fs::is_directory(path))
        throw refused("it is no directory");
    if (holds_a_system(path))
        throw refused("it holds an installed system");
    if (allowed == Content::nothing && !is_empty_but_for_leftovers(path))
        throw refused("it is not an empty directory");
}

// The image as large as the tree needs: its content and a quarter, and what the file system takes for itself (inode
// tables 1/64, journal 64 MiB up to 16 GiB), in whole MiB; a quarter more inodes than there are.
Bytes image_size(const partition::TreeSize& tree) {
    const auto room = std::max<std::uint64_t>(tree.content.value / 4, (256_MiB).value);
    Bytes size{tree.content.value + room};
    size.value += size.value / 32 + (64_MiB).value;
    size.value = std::max(size.value, tree.inodes * 5 / 4 * partition::bytes_per_inode(size));
    return {(size.value + (1_MiB).value - 1) / (1_MiB).value * (1_MiB).value};
}

void write_ext4(const fs::path& tree, const fs::path& image, const PublishOptions& options, os::CommandRunner& runner) {
    partition::Volume volume;
    volume.size = options.size ? *options.size : image_size(partition::measure(tree, {}));
    volume.mount = "/";
    volume.uuid = Uuid::derived(image.filename().native(), "root");
    partition::TreePart part{tree};
    for (const auto& node : options.devices)
        part.added.push_back({tree / node.path, node.mode, makedev(node.major, node.minor)});
    partition::write_filesystem(volume, part, image, runner);
}

void write_tar_file(const fs::path& tree, const fs::path& file, const pack::TarOptions& options) {
    const auto fd = os::open_file(file, O_WRONLY | O_CREAT | O_EXCL, 0666);
    pack::write_tar(tree, fd.get(), options);
}

void publish_file(const fs::path& tree, const fs::path& work, const TreeTarget& target, const PublishOptions& options,
                  os::CommandRunner& runner) {
    const auto file = work / target.path.filename();
    const pack::TarOptions tar{target.compression, options.latest_time, options.devices};
    if (target.kind == TargetKind::tar)
        write_tar_file(tree, file, tar);
    else if (target.kind == TargetKind::squashfs)
        pack::write_squashfs(tree, file, tar, runner);
    else
        write_ext4(tree, file, options, runner);
    if (::rename(file.c_str(), target.path.c_str()) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot publish " + quote(target.path.native()));
}

void publish_directory(const fs::path& tree, const fs::path& target) {
    if (!is_replaceable(target))
        return join_directories(tree, target);
    if (::rename(tree.c_str(), target.c_str()) != 0)  // replaces an empty directory
        throw system_error(ErrorKind::disk, errno, "cannot publish " + quote(target.native()));
}

fs::path work_parent(const TreeTarget& target) {
    if (target.kind == TargetKind::stream) {
        const char* named = std::getenv("TMPDIR");
        return named && *named ? named : "/var/tmp";
    }
    const bool inside = target.kind == TargetKind::directory && !is_replaceable(target.path);
    return inside ? target.path : target.path.parent_path();
}

}  // namespace

TreeTarget target_of(std::string_view word) {
    if (word == "-")
        return {TargetKind::stream, {}, pack::Compression::none};
    auto path = fs::absolute(word).lexically_normal();
    if (!path.has_filename())  // "tree/"
        path = path.parent_path();
    TreeTarget target{TargetKind::directory, path, pack::Compression::none};
    if (fs::is_directory(path) || word.ends_with('/'))
        return target;
    for (const auto& ending : kEndings)
        if (path.native().ends_with(ending.text)) {
            target.kind = ending.kind;
            target.compression = ending.compression;
        }
    return target;
}

void check_target(const TreeTarget& target, Content allowed) {
    if (target.kind == TargetKind::stream) {
        if (::isatty(STDOUT_FILENO) == 1)
            throw error(ErrorKind::usage,
                        "cannot write a tar to a terminal: send standard output to a file or a program");
        return;
    }
    if (target.kind == TargetKind::directory)
        return check_directory(target.path, allowed);
    std::error_code failure;
    const auto status = fs::symlink_status(target.path, failure);
    if (fs::exists(status) && !fs::is_regular_file(status))
        throw error(ErrorKind::usage, "cannot write {}: what is there is no regular file", quote(target.path.native()));
}

os::TempDir make_work_directory(const TreeTarget& target) {
    const auto parent = work_parent(target);
    std::error_code failure;
    fs::create_directories(parent, failure);
    if (failure)
        throw error(ErrorKind::disk, "cannot make {}: {}", quote(parent.native()), failure.message());
    const auto prefix = parent == target.path || target.path.empty()
                            ? ".vprov-build-"
                            : fmt::format(".{}-build-", target.path.filename().native());
    os::TempDir::remove_stale(parent, prefix);
    return {parent, prefix};
}

void publish_tree(const fs::path& tree, const fs::path& work, const TreeTarget& target, const PublishOptions& options,
                  os::CommandRunner& runner) {
    switch (target.kind) {
        case TargetKind::directory:
            return publish_directory(tree, target.path);
        case TargetKind::stream:
            return pack::write_tar(tree, STDOUT_FILENO, {target.compression, options.latest_time, options.devices});
        case TargetKind::tar:
        case TargetKind::squashfs:
        case TargetKind::ext4:
            return publish_file(tree, work, target, options, runner);
    }
}

}  // namespace vprov::pipeline
