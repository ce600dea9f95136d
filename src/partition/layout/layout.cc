#include "partition/layout/layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace vprov::partition {

std::string_view name(Filesystem filesystem) {
    switch (filesystem) {
        case Filesystem::ext2:
            return "ext2";
        case Filesystem::ext3:
            return "ext3";
        case Filesystem::ext4:
            return "ext4";
        case Filesystem::swap:
            return "swap";
    }
    throw error(ErrorKind::internal, "internal error: cannot name file system {}", static_cast<int>(filesystem));
}

const DiskPlan& DiskLayout::root() const {
    const auto found = std::find_if(disks.begin(), disks.end(), [](const DiskPlan& disk) { return disk.mount == "/"; });
    if (found == disks.end())
        throw error(ErrorKind::internal, "internal error: cannot find the root disk: no disk is mounted at '/'");
    return *found;
}

std::string describe(const DiskLayout& layout) {
    struct Row {
        std::string image, guest, size, filesystem, mount, uuid, label;
    };
    std::vector<Row> rows;
    std::size_t image = 0, guest = 0, size = 0, mount = 0;
    for (const auto& disk : layout.disks) {
        rows.push_back({disk.image, disk.guest, exact(disk.size), std::string(name(disk.filesystem)),
                        disk.mount.empty() ? "-" : disk.mount, disk.uuid.text(),
                        disk.label.empty() ? "" : fmt::format("  LABEL={}", disk.label)});
        const auto& row = rows.back();
        image = std::max(image, row.image.size());
        guest = std::max(guest, row.guest.size());
        size = std::max(size, row.size.size());
        mount = std::max(mount, row.mount.size());
    }
    std::string out;
    for (const auto& row : rows)
        out += fmt::format("{:<{}}  {:<{}}  {:>{}}  {}  {:<{}}  UUID={}{}\n", row.image, image, row.guest, guest,
                           row.size, size, row.filesystem, row.mount, mount, row.uuid, row.label);
    return out;
}

}  // namespace vprov::partition
