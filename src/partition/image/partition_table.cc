#include "partition/image/partition_table.h"

#include <endian.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "partition/image/gpt_identity.h"
#include "partition/image/parted_session.h"
#include "partition/layout/placement.h"

namespace vprov::partition {
namespace {

constexpr std::size_t kGptHeader = 512, kSignature = 440;
constexpr std::uint64_t kGptEntries = 16384;

const char* type_name(Table table) {
    return table == Table::gpt ? "gpt" : "msdos";
}

// What libparted takes the type of an MBR's partition from, and a GPT's where no flag says it.
const PedFileSystemType* content_type(const Volume& volume) {
    switch (volume.filesystem) {
        case Filesystem::swap:
            return parted().file_system_type_get("linux-swap(v1)");
        case Filesystem::vfat:
            return parted().file_system_type_get("fat32");
        default:
            return parted().file_system_type_get("ext4");  // "Linux", whatever file system it is
    }
}

std::optional<PedPartitionFlag> flag_of(Role role) {
    switch (role) {
        case Role::esp:
            return PED_PARTITION_ESP;
        case Role::bios_boot:
            return PED_PARTITION_BIOS_GRUB;
        case Role::extended_boot:
            return PED_PARTITION_BLS_BOOT;
        case Role::lvm:
            return PED_PARTITION_LVM;
        case Role::raid:
            return PED_PARTITION_RAID;
        case Role::data:
        case Role::swap:
            return std::nullopt;
    }
    return std::nullopt;
}

void set_flag(PedPartition* partition, PedPartitionFlag flag, const Volume& volume, PartedSession& session) {
    if (parted().partition_is_flag_available(partition, flag) == 0)
        throw error(ErrorKind::disk, "cannot give partition {} ({}) the type or flag {}: its table has none",
                    volume.number, quote(volume.name), quote(parted().partition_flag_get_name(flag)));
    session.check(parted().partition_set_flag(partition, flag, 1) != 0, "set a flag");
}

class TableWriter {
  public:
    TableWriter(const DiskPlan& plan, PartedSession& session, PedDevice* device)
        : plan_(plan), session_(session), disk_(nullptr, parted().disk_destroy) {
        const auto* type = parted().disk_type_get(type_name(plan.table));
        disk_.reset(parted().disk_new_fresh(device, type));
        session_.check(disk_ != nullptr, "make a partition table");
    }

    void add(const Volume& volume) {
        if (volume.logical && !has_extended_) {
            const auto area = extended_area(plan_).value();
            auto* extended = add_area(PED_PARTITION_EXTENDED, nullptr, area.start, area.size);
            set_flag(extended, PED_PARTITION_LBA, volume, session_);
            has_extended_ = true;
        }
        const auto kind = volume.logical ? PED_PARTITION_LOGICAL : PED_PARTITION_NORMAL;
        auto* partition = add_area(kind, content_type(volume), volume.start, volume.size);
        if (partition->num != static_cast<int>(volume.number))
            throw error(ErrorKind::internal, "internal error: partition {} became {}", volume.number, partition->num);
        // sectors are counted, not cylinders
        if (plan_.table == Table::mbr && volume.filesystem == Filesystem::vfat && volume.role != Role::esp)
            set_flag(partition, PED_PARTITION_LBA, volume, session_);
        if (const auto flag = flag_of(volume.role))
            set_flag(partition, *flag, volume, session_);
        if (plan_.table == Table::mbr && volume.flags.contains(Flag::boot))
            set_flag(partition, PED_PARTITION_BOOT, volume, session_);
        if (!volume.partlabel.empty())
            session_.check(parted().partition_set_name(partition, volume.partlabel.c_str()) != 0, "name a partition");
    }

    void write() { session_.check(parted().disk_commit_to_dev(disk_.get()) != 0, "write the partition table"); }

  private:
    PedPartition* add_area(PedPartitionType kind, const PedFileSystemType* content, Bytes start, Bytes size) {
        const auto first = static_cast<PedSector>(start.value / plan_.sector_size);
        const auto last = static_cast<PedSector>((start.value + size.value) / plan_.sector_size) - 1;
        auto* partition = parted().partition_new(disk_.get(), kind, content, first, last);
        session_.check(partition != nullptr, "make a partition");
        auto* exactly = parted().constraint_exact(&partition->geom);
        const bool added = parted().disk_add_partition(disk_.get(), partition, exactly) != 0;
        parted().constraint_destroy(exactly);
        session_.check(added, "add a partition");
        return partition;
    }

    const DiskPlan& plan_;
    PartedSession& session_;
    std::unique_ptr<PedDisk, void (*)(PedDisk*)> disk_;
    bool has_extended_ = false;
};

std::uint64_t attributes_of(const Volume& volume) {
    std::uint64_t bits = 0;
    for (const auto flag : volume.flags) {
        switch (flag) {
            case Flag::required:
                bits |= 1;
                break;
            case Flag::boot:
                bits |= 4;
                break;
            case Flag::read_only:
                bits |= std::uint64_t{1} << 60;
                break;
            case Flag::no_automount:
                bits |= std::uint64_t{1} << 63;
                break;
        }
    }
    return bits;
}

// Both copies: the first behind the protective MBR, the second at the end of the disk.
void identify_gpt(const DiskPlan& disk, ImageBytes& image) {
    std::map<unsigned, GptEntry> partitions;
    for (const auto& volume : disk.volumes) partitions[volume.number] = {volume.partuuid, attributes_of(volume)};
    const std::uint64_t sector = disk.sector_size, last = disk.size.value - sector;
    for (const auto& [header_at, entries_at] : {std::pair{sector, 2 * sector}, {last, last - kGptEntries}}) {
        auto header = image.read(header_at, kGptHeader);
        auto entries = image.read(entries_at, kGptEntries);
        set_gpt_identity(header, entries, disk.table_uuid, partitions);
        image.write(entries_at, entries);
        image.write(header_at, header);
    }
}

void identify_mbr(const DiskPlan& disk, ImageBytes& image) {
    const auto signature = htole32(disk.signature());
    std::string bytes(sizeof signature, '\0');
    std::memcpy(bytes.data(), &signature, sizeof signature);
    auto sector = image.read(0, 512);  // whole sectors: a device may take nothing less
    sector.replace(kSignature, bytes.size(), bytes);
    image.write(0, sector);
}

}  // namespace

void write_table(const DiskPlan& disk, const std::filesystem::path& path) {
    if (disk.table == Table::none)
        return;
    {
        PartedSession session(fmt::format("partition {}", quote(path.native())));
        auto* device = session.open(path, disk.sector_size);
        TableWriter writer(disk, session, device);
        for (const auto& volume : disk.volumes) writer.add(volume);
        writer.write();
    }
    RawImage image(path, RawImage::Access::writing);
    set_table_identity(disk, image);
}

void set_table_identity(const DiskPlan& disk, ImageBytes& image) {
    if (disk.table == Table::gpt)
        identify_gpt(disk, image);
    else if (disk.table == Table::mbr)
        identify_mbr(disk, image);
}

}  // namespace vprov::partition
