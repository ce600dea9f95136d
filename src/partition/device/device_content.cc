#include "partition/device/device_content.h"

#include <blkid/blkid.h>
#include <fcntl.h>
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

Content described(blkid_probe probe) {
    if (const auto table = value_of(probe, "PTTYPE"); !table.empty())
        return {fmt::format("{} partition table", table == "dos" ? "mbr" : table), value_of(probe, "PTUUID")};
    const auto type = value_of(probe, "TYPE"), usage = value_of(probe, "USAGE");
    auto text = usage == "filesystem" ? type + " file system" : type;
    if (usage == "raid")
        text = type == "LVM2_member" ? "LVM physical volume" : "RAID member, " + type;
    if (type == "swap")
        text = "swap space";
    if (const auto label = value_of(probe, "LABEL"); !label.empty())
        text += " " + quote(label);
    const auto uuid = value_of(probe, "UUID");
    if (!uuid.empty())
        text += ", UUID " + uuid;
    return {std::move(text), uuid};
}

struct Range {
    std::uint64_t offset = 0, size = 0;  // in bytes; a size of 0: to the end
};

// What begins at the range; all of it, not only what the kernel would take. What cannot be read is not taken for empty.
std::vector<Content> signatures(const os::Fd& fd, const std::filesystem::path& device, Range range, bool with_table) {
    const auto fail = [&] {
        return error(ErrorKind::disk, "cannot read {} to see what is on it", quote(device.native()));
    };
    const Probe probe(::blkid_new_probe(), ::blkid_free_probe);
    if (!probe || ::blkid_probe_set_device(probe.get(), fd.get(), static_cast<blkid_loff_t>(range.offset),
                                           static_cast<blkid_loff_t>(range.size)) != 0)
        throw fail();
    ::blkid_probe_enable_superblocks(probe.get(), 1);
    ::blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE |
                                                         BLKID_SUBLKS_USAGE | BLKID_SUBLKS_VERSION);
    ::blkid_probe_enable_partitions(probe.get(), with_table ? 1 : 0);
    std::vector<Content> found;
    int answer = 0;
    while ((answer = ::blkid_do_probe(probe.get())) == 0) {
        auto content = described(probe.get());
        // a GPT's protective MBR is found as a table of its own
        if (!content.text.empty() && std::ranges::find(found, content.text, &Content::text) == found.end())
            found.push_back(std::move(content));
    }
    if (answer < 0)
        throw fail();
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
    const auto* type = parted().disk_probe(device);
    if (!type || std::string_view(type->name) == "loop")  // libparted's word for a bare file system
        return {};
    const std::unique_ptr<PedDisk, void (*)(PedDisk*)> disk(parted().disk_new(device), parted().disk_destroy);
    if (!disk)
        return {};  // a broken table: blkid has told its kind
    for (auto* part = parted().disk_next_partition(disk.get(), nullptr); part;
         part = parted().disk_next_partition(disk.get(), part))
        if (part->num > 0)
            parts.push_back({part->num, static_cast<std::uint64_t>(part->geom.start * device->sector_size),
                             static_cast<std::uint64_t>(part->geom.length * device->sector_size),
                             (part->type & PED_PARTITION_EXTENDED) != 0});
    return parts;
}

}  // namespace

std::vector<Content> things_on(const std::filesystem::path& device) {
    const auto fd = os::open_file(device, O_RDONLY);
    auto found = signatures(fd, device, {}, true);
    for (const auto& part : partitions(device)) {
        const auto place = fmt::format("partition {}, {} at {}", part.number, exact({part.size}), exact({part.start}));
        const auto inside = part.is_extended ? std::vector<Content>{{"extended", ""}}
                                             : signatures(fd, device, {part.start, part.size}, false);
        if (inside.empty())
            found.push_back({place + ": nothing that is known", ""});
        for (const auto& content : inside) found.push_back({fmt::format("{}: {}", place, content.text), content.uuid});
    }
    return found;
}

std::vector<std::string> contents_of(const std::filesystem::path& device) {
    std::vector<std::string> texts;
    for (auto& content : things_on(device)) texts.push_back(std::move(content.text));
    return texts;
}

}  // namespace vprov::partition
