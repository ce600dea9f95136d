#include "recipe/forms.h"
#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

constexpr Bytes kBlock = 4_KiB;               // of the file systems that are made, and the page of swap space
constexpr Bytes kSmallestFilesystem = 8_MiB;  // room for ext4's journal
constexpr Bytes kSmallestSwap = 40_KiB;       // mkswap(8): ten pages

constexpr std::size_t kSwapLabel = 15;  // mkswap keeps a zero at the end of the header's 16 bytes

Bytes disk_size_of(const Node& node) {
    const auto size = size_of(node);
    if (size.value % kBlock.value != 0)
        throw Refusal{"a multiple of 4K is wanted"};
    return size;
}

void check_disk(const Disk& disk, const Node& table, Findings& findings) {
    if (!disk.filesystem)
        return;
    const bool is_swap = *disk.filesystem == Filesystem::swap;
    const auto smallest = is_swap ? kSmallestSwap : kSmallestFilesystem;
    if (disk.size && *disk.size < smallest)
        findings.refuse(*table.find("size"), "[[disk]] size",
                        fmt::format("{} takes at least {}", is_swap ? "swap space" : "a file system", exact(smallest)));
    if (is_swap && table.find("mount"))
        findings.refuse(*table.find("mount"), "[[disk]] mount", "swap space is not mounted");
    if (!is_swap && !table.find("mount"))
        findings.add(table.place, "cannot use [[disk]]: it has no mount");
    if (is_swap && disk.label && disk.label->size() > kSwapLabel)
        findings.refuse(*table.find("label"), "[[disk]] label", "swap space has room for 15 characters");
}

}  // namespace

std::string disk_name(const Disk& disk) {
    if (disk.name)
        return *disk.name;
    if (disk.filesystem == Filesystem::swap)
        return "swap";
    if (!disk.mount || disk.mount == "/")
        return disk.mount ? "root" : "";
    auto name = disk.mount->substr(1);
    std::replace(name.begin(), name.end(), '/', '-');
    return name;
}

Keys<Disk> disk_keys() {
    const Choices<Filesystem> filesystems = {
        {"ext4", Filesystem::ext4}, {"ext3", Filesystem::ext3}, {"ext2", Filesystem::ext2}, {"swap", Filesystem::swap}};
    const Choices<ImageFormat> formats = {{"raw", ImageFormat::raw}};
    return {
        "[[disk]]",
        {key("name", &Disk::name, word(flaw_of_disk_name)), key("size", &Disk::size, disk_size_of),
         key("filesystem", &Disk::filesystem, choice(filesystems)), key("mount", &Disk::mount, word(flaw_of_mount)),
         key("label", &Disk::label, word(flaw_of_label)), key("options", &Disk::options, word(flaw_of_mount_options)),
         key("guest", &Disk::guest, word(flaw_of_device)), key("format", &Disk::format, choice(formats))},
        {"device", "table", "partition"},
        {"size", "filesystem"},
        check_disk};
}

void check_disks(const std::vector<Disk>& disks, const Node* array, Findings& findings) {
    const auto text = [](const std::optional<std::string>& value) { return value.value_or(""); };
    auto named = disks;  // without those that have the name only because they have the mount point
    for (std::size_t later = 1; later < disks.size(); ++later)
        for (std::size_t first = 0; first < later; ++first)
            if (disks[later].mount && !disks[later].name && disks[later].mount == disks[first].mount)
                named[later] = {};
    refuse_repeats(named, array, "[[disk]]", "name", disk_name, findings);
    refuse_repeats(
        disks, array, "[[disk]]", "mount", [&](const Disk& disk) { return text(disk.mount); }, findings);
    refuse_repeats(
        disks, array, "[[disk]]", "guest", [&](const Disk& disk) { return text(disk.guest); }, findings);
    refuse_repeats(
        disks, array, "[[disk]]", "label", [&](const Disk& disk) { return text(disk.label); }, findings);
}

}  // namespace vprov::recipe
