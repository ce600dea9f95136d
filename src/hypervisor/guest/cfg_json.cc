#include "hypervisor/guest/cfg_json.h"

#include <nlohmann/json.hpp>

#include "hypervisor/guest/cfg_text.h"

namespace vprov::hypervisor {
namespace {

nlohmann::json json_of(const CfgValue& value) {
    if (const auto* list = value.list()) {
        auto array = nlohmann::json::array();
        for (const auto& element : *list) array.push_back(json_of(element));
        return array;
    }
    return *value.text();
}

}  // namespace

std::string guest_json(const Guest& guest) {
    auto shown = guest;
    shown.vncpasswd.reset();
    auto object = nlohmann::json::object();
    for (const auto& [key, entry] : parse_cfg_text(write_xl_cfg(shown), guest.name)) object[key] = json_of(entry.value);
    return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace vprov::hypervisor
