#include "hypervisor/launch/cause_of_death.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace vprov::hypervisor {
namespace {

std::string disk_in_use(const Guest& guest, std::string_view said, const StateDir& state) {
    for (const auto& disk : guest.disks) {
        if (disk.target.empty() || said.find(fmt::format("[{}]", disk.target)) == std::string_view::npos)
            continue;
        for (const auto& name : state.names()) {
            const auto other = name == guest.name ? std::nullopt : state.read(name);
            if (other && std::find(other->disks.begin(), other->disks.end(), disk.target) != other->disks.end())
                return fmt::format("its disk {} is in use by the domain {}", quote(disk.target), quote(name));
        }
        return fmt::format("its disk {} is in use by another process", quote(disk.target));
    }
    return "one of its disks is in use by another process";
}

}  // namespace

std::string cause_of_death(const Guest& guest, std::string_view said, const StateDir& state) {
    if (said.find(" lock") != std::string_view::npos &&
        said.find("Is another process using the image") != std::string_view::npos)
        return disk_in_use(guest, said, state);
    const auto lines = trimmed(last_lines(said, 5));
    return lines.empty() ? "QEMU ended without a word" : fmt::format("QEMU said:\n{}", lines);
}

}  // namespace vprov::hypervisor
