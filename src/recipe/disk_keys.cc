#include "recipe/disk_rules.h"
#include "recipe/forms.h"
#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

constexpr Bytes kBlock = 4_KiB;  // of the file systems that are made, and the page of swap space

enum class RestWord { allowed, refused };

auto size_reader(RestWord rest) {
    return [rest](const Node& node) -> Size {
        if (node.kind == Node::Kind::string && node.text == "auto")
            return Sizing::content;
        if (node.kind == Node::Kind::string && node.text == "rest") {
            if (rest == RestWord::refused)
                throw Refusal{"only a partition takes the rest of a disk"};
            return Sizing::rest;
        }
        const auto size = size_of(node);
        if (size.value % kBlock.value != 0)
            throw Refusal{"a multiple of 4K is wanted"};
        return size;
    };
}

auto integer_between(std::int64_t least, std::int64_t most) {
    return [=](const Node& node) {
        const auto value = integer_of(node);
        if (value < least || value > most)
            throw Refusal{fmt::format("an integer from {} to {} is wanted", least, most)};
        return value;
    };
}

std::uint32_t sector_size_of(const Node& node) {
    const auto value = integer_of(node);
    if (value != 512 && value != 4096)
        throw Refusal{"512 or 4096 is wanted"};
    return static_cast<std::uint32_t>(value);
}

const Choices<Filesystem>& filesystems() {
    static const Choices<Filesystem> kWords = {
        {"ext4", Filesystem::ext4},   {"ext3", Filesystem::ext3}, {"ext2", Filesystem::ext2}, {"xfs", Filesystem::xfs},
        {"btrfs", Filesystem::btrfs}, {"vfat", Filesystem::vfat}, {"swap", Filesystem::swap}};
    return kWords;
}

Choices<Filesystem> partition_contents() {
    auto words = filesystems();
    words.emplace_back("none", Filesystem::none);
    return words;
}

template <class Value>
Choices<Value> named(std::initializer_list<Value> values) {
    Choices<Value> words;
    for (const auto value : values) words.emplace_back(partition::name(value), value);
    return words;
}

Keys<Partition> partition_keys() {
    return {"[[disk.partition]]",
            {key("name", &Partition::name, word(flaw_of_partition_name)),
             key("size", &Partition::size, size_reader(RestWord::allowed)), key("room", &Partition::room, size_of),
             key("type", &Partition::type,
                 choice(named({Role::data, Role::swap, Role::esp, Role::bios_boot, Role::extended_boot, Role::lvm,
                               Role::raid}))),
             key("filesystem", &Partition::filesystem, choice(partition_contents())),
             key("mount", &Partition::mount, word(flaw_of_mount)), key("label", &Partition::label, word(flaw_of_label)),
             key("options", &Partition::options, word(flaw_of_mount_options)),
             key("dump", &Partition::dump, integer_between(0, 9)), key("pass", &Partition::pass, integer_between(0, 9)),
             key("uuid", &Partition::uuid, word(flaw_of_filesystem_uuid)),
             key("partuuid", &Partition::partuuid, word(flaw_of_uuid)),
             list("flags", &Partition::flags,
                  choice(named({Flag::boot, Flag::required, Flag::read_only, Flag::no_automount}))),
             key("logical", &Partition::logical, boolean_of)},
            {},
            {"size"},
            check_partition};
}

}  // namespace

std::string volume_name(const Partition& partition) {
    if (partition.name)
        return *partition.name;
    if (partition.filesystem == Filesystem::swap)
        return "swap";
    if (!partition.mount)
        return partition.type ? std::string(partition::name(*partition.type)) : "";
    if (partition.mount == "/")
        return "root";
    auto name = partition.mount->substr(1);
    std::replace(name.begin(), name.end(), '/', '-');
    return name;
}

std::string disk_name(const Disk& disk) {
    if (disk.name)
        return *disk.name;
    for (const auto& partition : disk.partitions)
        if (partition.mount == "/")
            return "root";
    for (const auto& partition : disk.partitions)
        if (partition.mount)
            return volume_name(partition);
    Partition whole;
    whole.filesystem = disk.filesystem;
    whole.mount = disk.mount;
    return volume_name(whole);
}

Keys<Disk> disk_keys() {
    return {
        "[[disk]]",
        {key("name", &Disk::name, word(flaw_of_disk_name)), key("size", &Disk::size, size_reader(RestWord::refused)),
         key("room", &Disk::room, size_of), key("filesystem", &Disk::filesystem, choice(filesystems())),
         key("mount", &Disk::mount, word(flaw_of_mount)), key("label", &Disk::label, word(flaw_of_label)),
         key("options", &Disk::options, word(flaw_of_mount_options)), key("dump", &Disk::dump, integer_between(0, 9)),
         key("pass", &Disk::pass, integer_between(0, 9)), key("uuid", &Disk::uuid, word(flaw_of_filesystem_uuid)),
         key("guest", &Disk::guest, word(flaw_of_device)), key("device", &Disk::device, word(flaw_of_host_device)),
         key("format", &Disk::format,
             choice(named(
                 {ImageFormat::raw, ImageFormat::qcow2, ImageFormat::vmdk, ImageFormat::vdi, ImageFormat::vhdx}))),
         key("overlay", &Disk::overlay, boolean_of),
         key("table", &Disk::table, choice(named({Table::none, Table::gpt, Table::mbr}))),
         key("table_uuid", &Disk::table_uuid, word(flaw_of_table_uuid)),
         key("sector_size", &Disk::sector_size, sector_size_of),
         tables("partition", &Disk::partitions, partition_keys())},
        {},
        {},
        check_disk};
}

Keys<Mount> mount_keys() {
    return {"[[mount]]",
            {key("source", &Mount::source, word(flaw_of_mount_source)),
             key("target", &Mount::target, word(flaw_of_extra_mount)),
             key("filesystem", &Mount::filesystem, word(flaw_of_mount_options)),
             key("options", &Mount::options, word(flaw_of_mount_options))},
            {},
            {"source", "target", "filesystem"},
            {}};
}

}  // namespace vprov::recipe
