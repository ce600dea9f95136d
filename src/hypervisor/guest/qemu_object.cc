#include "hypervisor/guest/qemu_object.h"

#include <fmt/format.h>

namespace vprov::hypervisor {
namespace {

struct OptionText {
    std::string operator()(const std::string& text) const { return option_value(text); }
    std::string operator()(bool is_on) const { return is_on ? "on" : "off"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
};

}  // namespace

std::string qemu_option(const QemuObject& object, std::string_view implied) {
    std::string out;
    for (const auto& [name, value] : object) {
        if (!out.empty())
            out += ',';
        const bool stands_alone = out.empty() && name == implied;
        out +=
            fmt::format("{}{}{}", stands_alone ? "" : name, stands_alone ? "" : "=", std::visit(OptionText{}, value));
    }
    return out;
}

std::string option_value(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c;
        if (c == ',')
            out += ',';
    }
    return out;
}

}  // namespace vprov::hypervisor
