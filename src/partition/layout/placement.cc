#include "partition/layout/placement.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace vprov::partition {
namespace {

constexpr unsigned kPrimary = 4;           // entries of an MBR
constexpr unsigned kFirstLogical = 5;      // its number
constexpr std::uint64_t kEntries = 16384;  // bytes of a GPT's array: 128 entries of 128 bytes
constexpr unsigned kMostGpt = 128;
constexpr unsigned kMostLogical = 60;  // libparted's limit, and more than the kernel's 15 minor numbers of old

std::uint64_t aligned_up(std::uint64_t value) {
    return (value + kAlignment.value - 1) / kAlignment.value * kAlignment.value;
}

std::uint64_t aligned_down(std::uint64_t value) {
    return value / kAlignment.value * kAlignment.value;
}

// Sectors behind the partitions that hold a GPT's second copy.
std::uint64_t gpt_backup(const DiskPlan& disk) {
    return kEntries + disk.sector_size;
}

std::string called(const DiskPlan& disk, const Volume& volume) {
    return fmt::format("partition {} ({}) on disk {}", volume.number, quote(volume.name), quote(disk.name));
}

// Lays volumes out one after the other, each on an aligned byte; a logical one has its own table in front of it, and
// the first of them the extended partition's.
class Walk {
  public:
    explicit Walk(std::uint64_t from) : end_(from) {}
    std::uint64_t start_of(const Volume& volume) const {
        return aligned_up(end_) + (volume.logical ? kAlignment.value : 0);
    }
    void pass(const Volume& volume) { end_ = start_of(volume) + volume.size.value; }
    std::uint64_t end() const { return end_; }

  private:
    std::uint64_t end_;
};

void refuse_logical(const DiskPlan& disk) {
    bool was_logical = false, has_ended = false;
    for (const auto& volume : disk.volumes) {
        if (volume.logical && disk.table != Table::mbr)
            throw error(ErrorKind::disk, "cannot place {}: only an MBR has logical partitions", called(disk, volume));
        if (volume.logical && has_ended)
            throw error(ErrorKind::disk, "cannot place {}: logical partitions must be neighbours",
                        called(disk, volume));
        has_ended = has_ended || (was_logical && !volume.logical);
        was_logical = volume.logical;
    }
}

void make_logical(DiskPlan& disk) {
    const auto& volumes = disk.volumes;
    const bool is_said = std::any_of(volumes.begin(), volumes.end(), [](const auto& volume) { return volume.logical; });
    if (disk.table != Table::mbr || is_said || volumes.size() <= kPrimary)
        return;
    for (auto i = std::size_t{kPrimary} - 1; i < volumes.size(); ++i) disk.volumes[i].logical = true;
}

void number(DiskPlan& disk) {
    unsigned primary = 1, logical = kFirstLogical;
    for (auto& volume : disk.volumes) {
        if (disk.table == Table::none) {
            volume.number = 0;
        } else if (volume.logical) {
            primary += logical == kFirstLogical ? 1 : 0;  // the extended one
            volume.number = logical++;
        } else {
            volume.number = primary++;
        }
        if (disk.table != Table::none && !disk.guest.empty())
            volume.guest = partition_device(disk.guest, volume.number);
    }
    if (disk.table == Table::mbr && primary > kPrimary + 1)
        throw error(ErrorKind::disk, "cannot lay out disk {}: an MBR has room for {} primary partitions, these are {}",
                    quote(disk.name), kPrimary, primary - 1);
    if (disk.table == Table::mbr && logical > kFirstLogical + kMostLogical)
        throw error(ErrorKind::disk, "cannot lay out disk {}: {} logical partitions are the most", quote(disk.name),
                    kMostLogical);
    if (disk.table == Table::gpt && primary > kMostGpt + 1)
        throw error(ErrorKind::disk, "cannot lay out disk {}: {} partitions are the most in a GPT", quote(disk.name),
                    kMostGpt);
}

Error too_small(const DiskPlan& disk, const Volume& volume, std::uint64_t missing) {
    return error(ErrorKind::disk, "cannot place {}: {} {} missing", called(disk, volume),
                 missing == 1 ? "1 byte" : fmt::format("{} bytes", missing), missing == 1 ? "is" : "are");
}

// What the volumes behind `rest` take, counted from an aligned byte.
std::uint64_t size_behind(const DiskPlan& disk, std::size_t rest) {
    Walk walk(0);
    for (auto i = rest + 1; i < disk.volumes.size(); ++i) walk.pass(disk.volumes[i]);
    return walk.end();
}

void size_rest(DiskPlan& disk) {
    const auto is_rest = [](const Volume& volume) { return volume.sizing == Sizing::rest; };
    const auto found = std::find_if(disk.volumes.begin(), disk.volumes.end(), is_rest);
    if (found == disk.volumes.end())
        return;
    auto& rest = *found;
    if (std::any_of(found + 1, disk.volumes.end(), is_rest))
        throw error(ErrorKind::disk, "cannot lay out disk {}: two partitions take the rest", quote(disk.name));
    Walk walk(usable(disk).first.value);
    for (auto before = disk.volumes.begin(); before != found; ++before) walk.pass(*before);
    const auto start = walk.start_of(rest), end = usable(disk).end.value;
    const auto behind = size_behind(disk, static_cast<std::size_t>(found - disk.volumes.begin()));
    const auto least = std::max(smallest(rest.filesystem).value, std::uint64_t{disk.sector_size});
    const auto wanted = aligned_up(start + least) + behind;
    if (wanted > end)
        throw too_small(disk, rest, wanted - end);
    rest.size = {aligned_down(end - behind) - start};
}

void check_sizes(const DiskPlan& disk) {
    for (const auto& volume : disk.volumes)
        if (disk.table != Table::none && volume.size.value % disk.sector_size != 0)
            throw error(ErrorKind::disk, "cannot place {}: its size is no multiple of the sector size, {}",
                        called(disk, volume), disk.sector_size);
    if (disk.sector_size == 0 || disk.size.value % disk.sector_size != 0)
        throw error(ErrorKind::disk, "cannot lay out disk {}: its size is no multiple of the sector size, {}",
                    quote(disk.name), disk.sector_size);
}

void place_volumes(DiskPlan& disk) {
    Walk walk(usable(disk).first.value);
    const auto end = usable(disk).end.value;
    const Volume* first_beyond = nullptr;
    for (auto& volume : disk.volumes) {
        volume.start = {walk.start_of(volume)};
        walk.pass(volume);
        if (!first_beyond && walk.end() > end)
            first_beyond = &volume;
    }
    if (first_beyond)
        throw too_small(disk, *first_beyond, walk.end() - end);
}

void size_disk(DiskPlan& disk) {
    Walk walk(kAlignment.value);
    for (const auto& volume : disk.volumes) walk.pass(volume);
    disk.size = {aligned_up(walk.end() + (disk.table == Table::gpt ? gpt_backup(disk) : 0))};
}

void place_bare(DiskPlan& disk) {
    if (disk.volumes.size() != 1)
        throw error(ErrorKind::internal, "internal error: cannot place {} volumes on a disk without a table",
                    disk.volumes.size());
    auto& volume = disk.volumes[0];
    volume.start = {};
    volume.guest = disk.guest;
    if (disk.sizing == Sizing::content)
        disk.size = volume.size;
    volume.size = disk.size;
}

}  // namespace

Bytes smallest(Filesystem filesystem) {
    switch (filesystem) {
        case Filesystem::ext2:
        case Filesystem::ext3:
        case Filesystem::ext4:
            return 8_MiB;  // room for a journal
        case Filesystem::xfs:
            return 300_MiB;  // xfsprogs 5.19 refuses less
        case Filesystem::btrfs:
            return 128_MiB;  // 114294784 bytes with metadata twice, btrfs-progs 6.2
        case Filesystem::vfat:
            return 1_MiB;
        case Filesystem::swap:
            return 40_KiB;  // mkswap(8): ten pages
        case Filesystem::none:
            return {};
    }
    throw error(ErrorKind::internal, "internal error: cannot size file system {}", static_cast<int>(filesystem));
}

std::size_t longest_label(Filesystem filesystem) {
    switch (filesystem) {
        case Filesystem::xfs:
            return 12;
        case Filesystem::vfat:
            return 11;
        case Filesystem::swap:
            return 15;  // mkswap keeps a zero at the end of the header's 16 bytes
        case Filesystem::none:
            return 0;
        default:
            return 16;  // s_volume_name of ext2; btrfs would take 255
    }
}

Usable usable(const DiskPlan& disk) {
    if (disk.table == Table::none)
        return {{}, disk.size};
    if (disk.table == Table::mbr)  // sector numbers of 32 bits
        return {kAlignment, {std::min(disk.size.value, (std::uint64_t{1} << 32) * disk.sector_size)}};
    const auto backup = gpt_backup(disk);
    return {kAlignment, {disk.size.value > backup ? disk.size.value - backup : 0}};
}

std::optional<Area> extended_area(const DiskPlan& disk) {
    const auto is_logical = [](const Volume& volume) { return volume.logical; };
    const auto first = std::find_if(disk.volumes.begin(), disk.volumes.end(), is_logical);
    if (first == disk.volumes.end())
        return std::nullopt;
    const auto last = std::find_if(disk.volumes.rbegin(), disk.volumes.rend(), is_logical);
    const auto start = first->start.value - kAlignment.value;
    return Area{{start}, {last->start.value + last->size.value - start}};
}

unsigned extended_number(const DiskPlan& disk) {
    unsigned number = 1;
    for (const auto& volume : disk.volumes) {
        if (volume.logical)
            return number;
        ++number;
    }
    return 0;
}

bool is_settled(const DiskPlan& disk) {
    return std::none_of(disk.volumes.begin(), disk.volumes.end(), [](const Volume& volume) {
        return volume.sizing == Sizing::content && volume.size.value == 0;
    });
}

void place(DiskPlan& disk) {
    make_logical(disk);
    refuse_logical(disk);
    number(disk);
    if (disk.table == Table::none) {
        if (is_settled(disk))
            place_bare(disk);
        else
            disk.volumes[0].guest = disk.guest;
        return;
    }
    if (!is_settled(disk))
        return;
    if (disk.sizing == Sizing::content)
        size_disk(disk);
    size_rest(disk);
    check_sizes(disk);
    place_volumes(disk);
}

}  // namespace vprov::partition
