#include "partition/image/image.h"

#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "base/text.h"
#include "partition/image/ext_volume.h"
#include "partition/image/new_image.h"
#include "partition/image/volume_writer.h"

namespace vprov::partition {
namespace fs = std::filesystem;
namespace {

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
    NewImage file(image, volume.size);
    write_volume(volume, part, {image, {}, PlaceKind::image, image.filename().native(), 512, image.parent_path()},
                 runner);
    file.keep();
}

void write_filesystem(const Volume& volume, const fs::path& tree, const fs::path& image, os::CommandRunner& runner) {
    write_filesystem(volume, TreePart{tree}, image, runner);
}

void write_empty(const Volume& volume, const fs::path& image, os::CommandRunner& runner) {
    write_filesystem(volume, TreePart{}, image, runner);
}

}  // namespace vprov::partition
