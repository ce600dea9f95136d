#include "hypervisor/launch/inserted_medium.h"

#include <fmt/format.h>

namespace vprov::hypervisor {

std::optional<nlohmann::json> inserted_medium(Monitor& monitor, std::string_view id) {
    const auto in_tree = fmt::format("/peripheral/{}/", id);
    for (const auto& block : monitor.execute("query-block")) {
        const auto qdev = block.value("qdev", "");  // an id, or a path in QEMU's object tree
        if (block.contains("inserted") && (qdev == id || qdev.find(in_tree) != std::string::npos))
            return block["inserted"];
    }
    return std::nullopt;
}

}  // namespace vprov::hypervisor
