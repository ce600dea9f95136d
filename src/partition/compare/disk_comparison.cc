#include "partition/compare/disk_comparison.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "partition/compare/image_bytes.h"
#include "partition/compare/volume_files.h"
#include "partition/image/volume_writer.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

constexpr std::uint64_t kBootCode = 440, kSector = 512;

struct Area {
    Bytes start, size;
    const Volume* volume = nullptr;  // null for what is between them
};

std::vector<Area> areas_of(const DiskPlan& disk, Bytes size) {
    std::vector<Area> areas;
    Bytes end;
    const auto add_gap = [&](Bytes until) {
        if (until > end)
            areas.push_back({end, {until.value - end.value}, nullptr});
    };
    for (const auto& volume : disk.volumes) {
        add_gap(volume.start);
        areas.push_back({volume.start, volume.size, &volume});
        end = {volume.start.value + volume.size.value};
    }
    add_gap(size);
    return areas;
}

std::string name_of(const Volume& volume) {
    return volume.number == 0 ? "" : fmt::format("partition {} ({})", volume.number, volume.name);
}

// Between partitions are tables, their copies, and what a boot loader puts there.
DiskDifference outside_of_volumes(const DiskPlan& disk, const Area& area, std::uint64_t place) {
    const auto at = fmt::format("byte {}", place);
    if (place < kBootCode)
        return {"the boot code", "", at};
    const std::uint64_t table = disk.table == Table::gpt ? 2 * std::uint64_t{disk.sector_size} + 16384 : kSector;
    const bool copy = disk.table == Table::gpt && place + table >= disk.size.value;
    const bool extended = disk.table == Table::mbr && area.start.value > 0;
    if (place < table || copy || extended)
        return {"the partition table", "", at};
    return {"outside of partitions", "", at};
}

class Comparison {
  public:
    Comparison(const DiskPlan& disk, const fs::path& expected, const fs::path& found, const fs::path& scratch,
               os::CommandRunner& runner)
        : disk_(disk), expected_(expected), found_(found), scratch_(scratch), runner_(runner) {}

    DiskComparison run() {
        const auto size = fs::file_size(expected_), other = fs::file_size(found_);
        DiskComparison result;
        if (size != other) {
            result.difference = {"the disk", "", fmt::format("{} in size, not {}", exact({other}), exact({size}))};
            return result;
        }
        for (const auto& area : areas_of(disk_, {size})) {
            const auto place = first_difference(expected_, found_, area.start, area.size);
            if (!place)
                continue;
            result.difference = area.volume ? within(*area.volume, *place) : outside_of_volumes(disk_, area, *place);
            if (result.difference)
                return result;
            result.by_files.push_back(area.volume->name);
        }
        return result;
    }

  private:
    // nullopt where the bytes may differ, and nothing else does.
    std::optional<DiskDifference> within(const Volume& volume, std::uint64_t place) const {
        const auto at = fmt::format("byte {} of it", place - volume.start.value);
        DiskDifference difference{name_of(volume), "", at};
        if (volume.filesystem == Filesystem::none)
            return difference;
        if (volume.filesystem == Filesystem::swap) {
            difference.what = "swap space, " + at;
            return difference;
        }
        const bool by_kernel = filled_by(volume.filesystem) == FilledBy::mounting && !volume.mount.empty();
        if (by_kernel && identity_of(expected_, volume) != identity_of(found_, volume)) {
            difference.what = "the superblock: UUID, label or size";
            return difference;
        }
        if (auto file = differing_file(volume, difference.what)) {
            difference.path = std::move(file->path);
            difference.what = std::move(file->what);
            return difference;
        }
        if (by_kernel)
            return std::nullopt;
        return difference;
    }

    // With what is said where none is: the files are the same, or cannot be looked at.
    std::optional<PathDifference> differing_file(const Volume& volume, std::string& otherwise) const {
        const auto expected = list_volume(volume, place(volume, expected_), runner_);
        try {
            auto difference = first_difference(expected, list_volume(volume, place(volume, found_), runner_));
            if (!difference)
                otherwise = "what the file system has besides files, " + otherwise;
            return difference;
        } catch (const Error& e) {  // of the image, which may be damaged
            if (e.kind() != ErrorKind::disk || filled_by(volume.filesystem) == FilledBy::mounting)
                throw;
            otherwise += fmt::format("; {}", e.message());
            return std::nullopt;
        }
    }

    Place place(const Volume& volume, const fs::path& image) const {
        return {image, volume.start, PlaceKind::image, image.filename().native(), disk_.sector_size, scratch_};
    }

    // xfs's superblock: magic, block size, blocks; UUID; label (xfs(5) of xfsprogs, xfs_format.h).
    static std::string identity_of(const fs::path& image, const Volume& volume) {
        constexpr std::array<std::pair<off_t, std::size_t>, 3> kFields = {{{0, 16}, {32, 16}, {108, 12}}};
        const auto file = os::open_file(image, O_RDONLY);
        std::string identity;
        for (const auto& [offset, size] : kFields) {
            std::string field(size, '\0');
            if (::pread(file.get(), field.data(), size, static_cast<off_t>(volume.start.value) + offset) !=
                static_cast<ssize_t>(size))
                throw system_error(ErrorKind::disk, errno, "cannot read " + quote(image.native()));
            identity += field;
        }
        return identity;
    }

    const DiskPlan& disk_;
    const fs::path &expected_, &found_, &scratch_;
    os::CommandRunner& runner_;
};

}  // namespace

std::string DiskDifference::text() const {
    auto text = where;
    if (!path.empty())
        text += (text.empty() ? "" : ", ") + quote(path);
    if (!what.empty())
        text += (text.empty() ? "" : ": ") + what;
    return text;
}

DiskComparison compare_disks(const DiskPlan& disk, const fs::path& expected, const fs::path& found,
                             const fs::path& scratch, os::CommandRunner& runner) {
    return Comparison(disk, expected, found, scratch, runner).run();
}

}  // namespace vprov::partition
