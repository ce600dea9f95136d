#include "recipe/disk_rules.h"

#include <algorithm>

#include "base/text.h"
#include "partition/layout/placement.h"
#include "recipe/forms.h"
#include "recipe/keys.h"
#include "recipe/tables.h"

namespace vprov::recipe {
namespace {

// Of a disk without a table, and of a partition.
template <class T>
void check_content(const T& asked, const Node& table, std::string_view title, Findings& findings) {
    if (asked.room && (!asked.size || asked.size->sizing != Sizing::content))
        findings.add(table.place_of("room"), fmt::format("cannot use {} room: it belongs to size = \"auto\"", title));
    if (!asked.filesystem)
        return;
    const auto refuse = [&](std::string_view key, std::string_view cause) {
        findings.refuse(*table.find(key), fmt::format("{} {}", title, key), cause);
    };
    const bool is_swap = *asked.filesystem == Filesystem::swap;
    const auto least = partition::smallest(*asked.filesystem);
    if (asked.size && asked.size->sizing == Sizing::fixed && asked.size->bytes < least)
        refuse("size",
               fmt::format("{} takes at least {}",
                           is_swap                                                 ? "swap space"
                           : partition::name(*asked.filesystem).starts_with("ext") ? "a file system"
                                                                                   : partition::name(*asked.filesystem),
                           exact(least)));
    if (is_swap && asked.size && asked.size->sizing == Sizing::content)
        refuse("size", "swap space has no content to be as large as");
    if (is_swap && asked.mount)
        refuse("mount", "swap space is not mounted");
    const auto longest = partition::longest_label(*asked.filesystem);
    if (asked.label && *asked.filesystem != Filesystem::none && asked.label->size() > longest)
        refuse("label", fmt::format("{} has room for {} characters",
                                    is_swap ? "swap space" : partition::name(*asked.filesystem), longest));
    const bool is_short = asked.uuid && asked.uuid->size() == 9;
    if (asked.uuid && is_short != (*asked.filesystem == Filesystem::vfat))
        refuse("uuid", is_short ? "only vfat has such a short one" : "vfat's is eight digits, as in '1A2B-3C4D'");
}

void refuse_keys(const Node& table, std::initializer_list<const char*> keys, std::string_view title,
                 std::string_view cause, Findings& findings) {
    for (const auto* key : keys)
        if (table.find(key))
            findings.add(table.place_of(key), fmt::format("cannot use {} {}: {}", title, key, cause));
}

void check_bare(const Disk& disk, const Node& table, Findings& findings) {
    refuse_keys(table, {"partition", "table_uuid", "sector_size"}, "[[disk]]", "it belongs to a disk with a table",
                findings);
    if (!table.find("size") && !table.find("device"))
        findings.add(table.place, "cannot use [[disk]]: it has no size");
    if (!table.find("filesystem"))
        findings.add(table.place, "cannot use [[disk]]: it has no filesystem");
    if (disk.filesystem && *disk.filesystem != Filesystem::swap && !table.find("mount"))
        findings.add(table.place, "cannot use [[disk]]: it has no mount");
    check_content(disk, table, "[[disk]]", findings);
}

void check_partitioned(const Disk& disk, const Node& table, Findings& findings) {
    refuse_keys(table, {"filesystem", "mount", "label", "options", "dump", "pass", "uuid", "room"}, "[[disk]]",
                "a disk with a table has it in its partitions", findings);
    if (disk.partitions.empty())
        findings.add(table.place, "cannot use [[disk]]: it has a table and no partition");
    const auto* partitions = table.find("partition");
    const bool sized = disk.size && disk.size->sizing == Sizing::fixed;
    std::size_t rest = 0;
    for (std::size_t i = 0; partitions && i < disk.partitions.size(); ++i) {
        const auto& partition = disk.partitions[i];
        const auto& node = partitions->items[i];
        if (disk.table == Table::gpt)
            refuse_keys(node, {"logical"}, "[[disk.partition]]", "only an MBR has logical partitions", findings);
        else
            refuse_keys(node, {"partuuid"}, "[[disk.partition]]",
                        "an MBR makes it of its own table_uuid and the number", findings);
        if (!partition.size || partition.size->sizing != Sizing::rest)
            continue;
        if (!sized && !disk.device)
            findings.refuse(*node.find("size"), "[[disk.partition]] size", "the disk has no size that could leave one");
        else if (++rest == 2)
            findings.refuse(*node.find("size"), "[[disk.partition]] size", "another one takes the rest already");
    }
}

}  // namespace

void check_partition(const Partition& partition, const Node& table, Findings& findings) {
    const bool has_none = partition.type == Role::bios_boot || partition.type == Role::lvm ||
                          partition.type == Role::raid || partition.filesystem == Filesystem::none;
    if (has_none && partition.filesystem && *partition.filesystem != Filesystem::none)
        findings.add(table.place_of("filesystem"),
                     fmt::format("cannot use [[disk.partition]] filesystem: type {} has none",
                                 quote(partition::name(*partition.type))));
    if (has_none)
        refuse_keys(table, {"mount", "label", "options", "uuid", "room"}, "[[disk.partition]]",
                    "there is no file system", findings);
    else if (!table.find("filesystem") && partition.type != Role::swap && partition.type != Role::esp)
        findings.add(table.place, "cannot use [[disk.partition]]: it has no filesystem");
    if (has_none && partition.size && partition.size->sizing == Sizing::content)
        findings.refuse(*table.find("size"), "[[disk.partition]] size", "there is no content to be as large as");
    if (!has_none)
        check_content(partition, table, "[[disk.partition]]", findings);
}

void check_disk(const Disk& disk, const Node& table, Findings& findings) {
    if (disk.device && disk.format != ImageFormat::raw)
        findings.refuse(*table.find("format"), "[[disk]] format", "a device has no format");
    if (disk.overlay && disk.device)
        findings.refuse(*table.find("overlay"), "[[disk]] overlay", "a device is not one");
    if (disk.overlay && table.find("format") && disk.format != ImageFormat::qcow2)
        findings.refuse(*table.find("overlay"), "[[disk]] overlay", "only qcow2 images are");
    if (disk.overlay && disk.table == Table::none && !disk.mount)
        findings.refuse(*table.find("overlay"), "[[disk]] overlay", "there are no files that a base could have");
    if (disk.device && disk.size && disk.size->sizing == Sizing::content)
        findings.refuse(*table.find("size"), "[[disk]] size", "a device has the size that it has");
    if (disk.table == Table::none)
        check_bare(disk, table, findings);
    else
        check_partitioned(disk, table, findings);
}

namespace {

// One for every file system of all disks, with the TOML table it stands in.
struct Described {
    std::string name, mount, label, title;
    const Node* table = nullptr;
    bool named_by_mount = false;
};

std::vector<Described> all_volumes(const std::vector<Disk>& disks, const Node& array) {
    std::vector<Described> all;
    for (std::size_t i = 0; i < disks.size(); ++i) {
        const auto& disk = disks[i];
        const auto& node = array.items[i];
        if (disk.table == Table::none)
            all.push_back({disk_name(disk), disk.mount.value_or(""), disk.label.value_or(""), "[[disk]]", &node,
                           disk.mount && !disk.name});
        const auto* partitions = disk.table == Table::none ? nullptr : node.find("partition");
        for (std::size_t k = 0; partitions && k < disk.partitions.size(); ++k) {
            const auto& partition = disk.partitions[k];
            all.push_back({partition.name.value_or(""), partition.mount.value_or(""), partition.label.value_or(""),
                           "[[disk.partition]]", &partitions->items[k], false});
        }
    }
    return all;
}

void refuse_repeated(const std::vector<Described>& all, std::string Described::*member, std::string_view key,
                     Findings& findings) {
    for (std::size_t later = 1; later < all.size(); ++later)
        for (std::size_t first = 0; first < later && !(all[later].*member).empty(); ++first) {
            if (all[first].*member != all[later].*member)
                continue;
            // with the mount point the name is the same as well: said once
            if (key == "name" && all[later].named_by_mount && all[first].mount == all[later].mount)
                continue;
            findings.add(all[later].table->place_of(key),
                         fmt::format("cannot use {} as {} {}: it is taken by the one at {}", quote(all[later].*member),
                                     all[later].title, key, findings.text_of(all[first].table->place_of(key))));
            break;
        }
}

}  // namespace

void check_disks(const std::vector<Disk>& disks, const Node* array, Findings& findings) {
    if (!array || array->items.size() != disks.size())
        return;
    const auto all = all_volumes(disks, *array);
    refuse_repeated(all, &Described::name, "name", findings);
    refuse_repeated(all, &Described::mount, "mount", findings);
    refuse_repeated(all, &Described::label, "label", findings);
    auto partitioned = disks;  // names of their images; those of the others have been looked at
    for (auto& disk : partitioned)
        if (disk.table == Table::none)
            disk = {};
    refuse_repeats(partitioned, array, "[[disk]]", "name", disk_name, findings);
    const auto text = [](const std::optional<std::string>& value) { return value.value_or(""); };
    refuse_repeats(
        disks, array, "[[disk]]", "guest", [&](const Disk& disk) { return text(disk.guest); }, findings);
    refuse_repeats(
        disks, array, "[[disk]]", "device", [&](const Disk& disk) { return text(disk.device); }, findings);
}

}  // namespace vprov::recipe
