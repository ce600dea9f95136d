#include "partition/layout/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace vprov::partition {
namespace {

template <class Value, std::size_t N>
std::string_view name_in(const std::array<std::string_view, N>& names, Value value) {
    const auto index = static_cast<std::size_t>(value);
    if (index >= N)
        throw error(ErrorKind::internal, "internal error: cannot name {}", index);
    return names[index];
}

}  // namespace

std::string_view name(Filesystem filesystem) {
    static constexpr std::array<std::string_view, 8> kNames = {"ext2",  "ext3", "ext4", "xfs",
                                                               "btrfs", "vfat", "swap", "-"};
    return name_in(kNames, filesystem);
}

std::string_view name(Table table) {
    static constexpr std::array<std::string_view, 3> kNames = {"none", "gpt", "mbr"};
    return name_in(kNames, table);
}

std::string_view name(Role role) {
    static constexpr std::array<std::string_view, 7> kNames = {"linux",    "swap", "esp", "bios-boot",
                                                               "xbootldr", "lvm",  "raid"};
    return name_in(kNames, role);
}

std::string_view name(Flag flag) {
    static constexpr std::array<std::string_view, 4> kNames = {"boot", "required", "read-only", "no-automount"};
    return name_in(kNames, flag);
}

std::string_view name(ImageFormat format) {
    static constexpr std::array<std::string_view, 5> kNames = {"raw", "qcow2", "vmdk", "vdi", "vhdx"};
    return name_in(kNames, format);
}

std::string Volume::uuid_text() const {
    if (filesystem != Filesystem::vfat)
        return uuid.text();
    const auto& b = uuid.bytes;
    return fmt::format("{:02X}{:02X}-{:02X}{:02X}", b[0], b[1], b[2], b[3]);
}

std::uint32_t DiskPlan::signature() const {
    const auto& b = table_uuid.bytes;
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

std::string partuuid_text(const DiskPlan& disk, const Volume& volume) {
    if (disk.table == Table::gpt)
        return volume.partuuid.text();
    return disk.table == Table::mbr ? fmt::format("{:08x}-{:02x}", disk.signature(), volume.number) : "";
}

std::string partition_device(std::string_view disk, unsigned number) {
    const bool ends_in_digit = !disk.empty() && disk.back() >= '0' && disk.back() <= '9';
    return fmt::format("{}{}{}", disk, ends_in_digit ? "p" : "", number);
}

const DiskPlan& DiskLayout::root_disk() const {
    for (const auto& disk : disks)
        for (const auto& volume : disk.volumes)
            if (volume.mount == "/")
                return disk;
    throw error(ErrorKind::internal, "internal error: cannot find the root disk: no disk is mounted at '/'");
}

const Volume& DiskLayout::root() const {
    const auto& volumes = root_disk().volumes;
    return *std::find_if(volumes.begin(), volumes.end(), [](const Volume& volume) { return volume.mount == "/"; });
}

std::vector<const Volume*> DiskLayout::volumes() const {
    std::vector<const Volume*> all;
    for (const auto& disk : disks)
        for (const auto& volume : disk.volumes) all.push_back(&volume);
    return all;
}

}  // namespace vprov::partition
