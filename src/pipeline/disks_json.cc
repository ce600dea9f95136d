#include "pipeline/disks_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace vprov::pipeline {
namespace {

using Json = nlohmann::ordered_json;

void add_content(Json& entry, const partition::Volume& volume) {
    if (volume.filesystem == partition::Filesystem::none)
        return;
    entry["filesystem"] = name(volume.filesystem);
    entry["mount"] = volume.mount;
    entry["uuid"] = volume.uuid_text();
}

Json partition_entry(const partition::DiskPlan& disk, const partition::Volume& volume) {
    Json entry = {{"number", volume.number},
                  {"name", volume.name},
                  {"guest", volume.guest},
                  {"start", volume.start.value},
                  {"size", volume.size.value},
                  {"type", name(volume.role)},
                  {"partuuid", partuuid_text(disk, volume)}};
    add_content(entry, volume);
    return entry;
}

Json disk_entry(const partition::DiskPlan& disk) {
    Json entry;
    if (disk.device.empty())
        entry["image"] = disk.image;
    else
        entry["device"] = disk.device;
    if (disk.made)
        entry["made"] = true;
    entry["guest"] = disk.guest;
    entry["size"] = disk.size.value;
    if (disk.format != partition::ImageFormat::raw)
        entry["format"] = name(disk.format);
    if (!disk.backing.empty())
        entry["backing"] = disk.backing;
    if (disk.table == partition::Table::none) {
        add_content(entry, disk.volumes.at(0));
        return entry;
    }
    entry["table"] = name(disk.table);
    entry["table_uuid"] =
        disk.table == partition::Table::gpt ? disk.table_uuid.text() : fmt::format("{:08x}", disk.signature());
    for (const auto& volume : disk.volumes) entry["partitions"].push_back(partition_entry(disk, volume));
    return entry;
}

}  // namespace

Json disks_json(const partition::DiskLayout& layout) {
    auto disks = Json::array();
    for (const auto& disk : layout.disks) disks.push_back(disk_entry(disk));
    return disks;
}

}  // namespace vprov::pipeline
