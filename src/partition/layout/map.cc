#include <fmt/format.h>

#include <algorithm>

#include "partition/layout/layout.h"
#include "partition/layout/placement.h"

namespace vprov::partition {
namespace {

using Row = std::vector<std::string>;

// Columns as wide as their widest cell, two blanks apart; `right` are set flush right.
std::string columns(const std::vector<Row>& rows, const std::set<std::size_t>& right, std::string_view indent) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (i == widths.size())
                widths.push_back(0);
            widths[i] = std::max(widths[i], row[i].size());
        }
    std::string out;
    for (const auto& row : rows) {
        std::string line(indent);
        for (std::size_t i = 0; i < row.size(); ++i)
            line += right.contains(i) ? fmt::format("{:>{}}  ", row[i], widths[i])
                                      : fmt::format("{:<{}}  ", row[i], widths[i]);
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

std::string size_text(Bytes size, Sizing sizing, Bytes room) {
    if (size.value > 0)
        return exact(size);
    return sizing == Sizing::content ? fmt::format("content+{}", exact(room)) : "rest";
}

std::string or_dash(const std::string& text) {
    return text.empty() ? "-" : text;
}

std::string ids(const Volume& volume) {
    if (volume.filesystem == Filesystem::none)
        return "";
    return fmt::format("UUID={}{}", volume.uuid_text(), volume.label.empty() ? "" : "  LABEL=" + volume.label);
}

std::string shown_place(const DiskPlan& disk) {
    return disk.device.empty() ? disk.image : disk.device;
}

Row bare_row(const DiskPlan& disk) {
    const auto& volume = disk.volumes.at(0);
    auto filesystem = std::string(name(volume.filesystem));
    if (disk.format != ImageFormat::raw)
        filesystem += fmt::format(" in {}{}", name(disk.format), disk.overlay ? " on a base" : "");
    return {shown_place(disk),     disk.guest, size_text(disk.size, volume.sizing, volume.room), filesystem,
            or_dash(volume.mount), ids(volume)};
}

Row partition_row(const DiskPlan& disk, const Volume& volume, bool is_placed) {
    auto role = std::string(name(volume.role));
    for (const auto flag : volume.flags) role += fmt::format(",{}", name(flag));
    auto identity = ids(volume);
    identity += fmt::format("{}PARTUUID={}", identity.empty() ? "" : "  ", partuuid_text(disk, volume));
    return {is_placed ? exact(volume.start) : "-",
            size_text(volume.size, volume.sizing, volume.room),
            fmt::format("{}", volume.number),
            or_dash(volume.guest),
            role,
            std::string(name(volume.filesystem)),
            or_dash(volume.mount),
            identity};
}

Row area_row(std::uint64_t from, std::uint64_t to, std::string what) {
    return {exact({from}), exact({to - from}), "-", "-", std::move(what)};
}

// The table, partitions and what is free between them. Gaps below the alignment are not drawn.
std::vector<Row> map_of(const DiskPlan& disk) {
    std::vector<Row> rows;
    const bool is_placed = is_settled(disk);
    std::uint64_t end = kAlignment.value;
    rows.push_back(area_row(0, end, fmt::format("{} table", name(disk.table))));
    bool extended_drawn = false;
    for (const auto& volume : disk.volumes) {
        auto start = volume.start.value;
        if (const auto area = is_placed && volume.logical ? extended_area(disk) : std::nullopt) {
            if (!extended_drawn)
                rows.push_back(
                    {exact(area->start), exact(area->size), fmt::format("{}", extended_number(disk)), "-", "extended"});
            extended_drawn = true;
            start -= kAlignment.value;
        }
        if (is_placed && start >= end + kAlignment.value)
            rows.push_back(area_row(end, start, "free"));
        rows.push_back(partition_row(disk, volume, is_placed));
        end = volume.start.value + volume.size.value;
    }
    const auto usable_end = usable(disk).end.value;
    if (is_placed && usable_end >= end + kAlignment.value)
        rows.push_back(area_row(end, usable_end, "free"));
    if (is_placed && disk.table == Table::gpt)
        rows.push_back(area_row(usable_end, disk.size.value, "gpt backup"));
    return rows;
}

std::string table_line(const DiskPlan& disk) {
    const auto id = disk.table == Table::gpt ? disk.table_uuid.text() : fmt::format("{:08x}", disk.signature());
    const auto sectors = disk.sector_size == 512 ? "" : fmt::format("  {}-byte sectors", disk.sector_size);
    return fmt::format("{}  {}  {}  {}  {}{}  PTUUID={}\n", shown_place(disk), disk.guest,
                       disk.size.value > 0 ? exact(disk.size) : "as its partitions", name(disk.table),
                       name(disk.format), sectors, id);
}

}  // namespace

std::string describe(const DiskLayout& layout) {
    std::string out;
    std::vector<Row> bare;
    const auto flush = [&] {
        out += columns(bare, {2}, "");
        bare.clear();
    };
    for (const auto& disk : layout.disks) {
        if (disk.table == Table::none) {
            bare.push_back(bare_row(disk));
            continue;
        }
        flush();
        out += table_line(disk) + columns(map_of(disk), {0, 1, 2}, "  ");
    }
    flush();
    return out;
}

}  // namespace vprov::partition
