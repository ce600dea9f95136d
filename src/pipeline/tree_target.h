// Where a finished tree goes: a directory, a tar, an image, or standard output. Names say which.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "bootstrap/pack/tar_writer.h"
#include "os/command.h"
#include "os/temp_dir.h"

namespace vprov::pipeline {

enum class TargetKind { directory, stream, tar, squashfs, ext4 };

struct TreeTarget {
    TargetKind kind = TargetKind::directory;
    std::filesystem::path path;  // absolute; empty for a stream
    pack::Compression compression = pack::Compression::none;
    bool operator==(const TreeTarget&) const = default;
};

// "-" is a tar on standard output; .tar, .tar.gz, .tgz, .tar.xz, .txz, .tar.zst, .tzst, .squashfs, .sqfs and .ext4 are
// files; an existing directory and everything else is a directory. Looks whether `word` is a directory.
TreeTarget target_of(std::string_view word);

// What may be in a target directory beforehand. `system` is refused in any case: a root file system with packages in
// it.
enum class Content { nothing, anything };

// Throws Error(usage): the root directory; a directory with more than lost+found in it, unless `allowed`; one that has
// dpkg's database with packages in it; a file in the place of a directory, or a directory in the place of a file.
void check_target(const TreeTarget& target, Content allowed);

// A directory to work in, on the file system where the result will be: beside it; inside of a target that cannot be
// replaced, as it is a mount point or has content; and for a stream in $TMPDIR or /var/tmp. Missing parents are made.
os::TempDir make_work_directory(const TreeTarget& target);

struct PublishOptions {
    std::optional<Bytes> size;  // of an ext4 image; else what the tree needs and a quarter, 256 MiB at least
    std::optional<std::int64_t> latest_time;     // as in pack::TarOptions
    std::vector<pack::DeviceNode> devices = {};  // as in pack::TarOptions
};

// Moves `tree` (inside `work`) to the target, or writes it there; a file appears by rename, a directory too unless it
// is a mount point or has content: then entry by entry, directories joined, everything else replaced. Throws
// Error(disk).
void publish_tree(const std::filesystem::path& tree, const std::filesystem::path& work, const TreeTarget& target,
                  const PublishOptions& options, os::CommandRunner& runner);

}  // namespace vprov::pipeline
