#include "hypervisor/launch/cause_of_death.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace vprov::hypervisor {
namespace {

std::string disk_in_use(std::string_view own_name, const std::vector<OpenFile>& files, std::string_view said,
                        const StateDir& state) {
    for (const auto& file : files) {
        if (said.find(fmt::format("[{}]", name_in_qemu(file.set))) == std::string_view::npos)
            continue;
        for (const auto& name : state.names()) {
            const auto other = name == own_name ? std::nullopt : state.read(name);
            if (other && std::find(other->disks.begin(), other->disks.end(), file.path) != other->disks.end())
                return fmt::format("its disk {} is in use by the domain {}", quote(file.path), quote(name));
        }
        return fmt::format("its disk {} is in use by another process", quote(file.path));
    }
    return "one of its disks is in use by another process";
}

}  // namespace

std::string cause_of_death(std::string_view name, const std::vector<OpenFile>& files, std::string_view said,
                           const StateDir& state) {
    if (said.find(" lock") != std::string_view::npos &&
        said.find("Is another process using the image") != std::string_view::npos)
        return disk_in_use(name, files, said, state);
    const auto lines = trimmed(last_lines(said, 5));
    return lines.empty() ? "QEMU ended without a word" : fmt::format("QEMU said:\n{}", lines);
}

}  // namespace vprov::hypervisor
