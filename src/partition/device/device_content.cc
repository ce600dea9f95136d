#include "partition/device/device_content.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <parted/parted.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "partition/image/parted_session.h"

namespace vprov::partition {
namespace {

using Probe = std::unique_ptr<blkid_struct_probe, void (*)(blkid_probe)>;

std::string value_of(blkid_probe probe, const char* name) {
    const char* value = nullptr;
    return ::blkid_probe_lookup_value(probe, name, &value, nullptr) == 0 ? value : "";
}

std::string described(blkid_probe probe) {
    if (const auto table = value_of(probe, "PTTYPE"); !table.empty())
        return fmt::format("{} partition table", table == "dos" ? "mbr" : table);
    const auto type = value_of(probe, "TYPE"), usage = value_of(probe, "USAGE");
    auto text = usage == "filesystem" ? type + " file system" : type;
    if (usage == "raid")
        text = type == "LVM2_member" ? "LVM physical volume" : "RAID member, " + type;
    if (type == "swap")
        text = "swap space";
    if (const auto label = value_of(probe, "LABEL"); !label.empty())
        text += " " + quote(label);
    if (const auto uuid = value_of(probe, "UUID"); !uuid.empty())
        text += ", UUID " + uuid;
    return text;
}

// What begins at `offset`; all of it, not only what the kernel would take.
std::vector<std::string> signatures(const os::Fd& fd, std::uint64_t offset, std::uint64_t size, bool with_table) {
    const Probe probe(::blkid_new_probe(), ::blkid_free_probe);
    if (!probe || ::blkid_probe_set_device(probe.get(), fd.get(), static_cast<blkid_loff_t>(offset),
                                           static_cast<blkid_loff_t>(size)) != 0)
        return {};
    ::blkid_probe_enable_superblocks(probe.get(), 1);
    ::blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE |
                                                         BLKID_SUBLKS_USAGE | BLKID_SUBLKS_VERSION);
    ::blkid_probe_enable_partitions(probe.get(), with_table ? 1 : 0);
    std::vector<std::string> found;
    while (::blkid_do_probe(probe.get()) == 0) {
        auto text = described(probe.get());
        // a GPT's protective MBR is found as a table of its own
        if (!text.empty() && std::find(found.begin(), found.end(), text) == found.end())
            found.push_back(std::move(text));
    }
    return found;
}

struct Part {
    int number = 0;
    std::uint64_t start = 0, size = 0;
    bool is_extended = false;
};

std::vector<Part> partitions(const std::filesystem::path& path) {
    std::vector<Part> parts;
    PartedSession session("read " + quote(path.native()));
    auto* device = session.open(path, 0);
    const auto* type = ::ped_disk_probe(device);
    if (!type || std::string_view(type->name) == "loop")  // libparted's word for a bare file system
        return {};
    const std::unique_ptr<PedDisk, void (*)(PedDisk*)> disk(::ped_disk_new(device), ::ped_disk_destroy);
    if (!disk)
        return {};  // a broken table: blkid has told its kind
    for (auto* part = ::ped_disk_next_partition(disk.get(), nullptr); part;
         part = ::ped_disk_next_partition(disk.get(), part))
        if (part->num > 0)
            parts.push_back({part->num, static_cast<std::uint64_t>(part->geom.start * device->sector_size),
                             static_cast<std::uint64_t>(part->geom.length * device->sector_size),
                             (part->type & PED_PARTITION_EXTENDED) != 0});
    return parts;
}

}  // namespace

std::vector<std::string> contents_of(const std::filesystem::path& device) {
    const auto fd = os::open_file(device, O_RDONLY);
    auto found = signatures(fd, 0, 0, true);
    for (const auto& part : partitions(device)) {
        const auto place = fmt::format("partition {}, {} at {}", part.number, exact({part.size}), exact({part.start}));
        const auto inside =
            part.is_extended ? std::vector<std::string>{"extended"} : signatures(fd, part.start, part.size, false);
        if (inside.empty())
            found.push_back(place + ": nothing that is known");
        for (const auto& text : inside) found.push_back(fmt::format("{}: {}", place, text));
    }
    return found;
}

}  // namespace vprov::partition
