#include "recipe/findings.h"

#include <algorithm>

#include "base/text.h"

namespace vprov::recipe {
namespace {

std::string shown(const Node& value) {
    switch (value.kind) {
        case Node::Kind::table:
            return "a table";
        case Node::Kind::array:
            return "a list";
        default:
            return quote(value.text);
    }
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

void Findings::refuse(const Node& value, std::string_view what, std::string_view cause) {
    add(value.place, fmt::format("cannot use {} as {}: {}", shown(value), what, cause));
}

std::string Findings::text_of(Place place) const {
    if (place.override_number == Place::kFile)
        return fmt::format("{}:{}:{}", file_, place.line, place.column);
    std::string text = overrides_.at(place.override_number - 1);
    const auto equals = text.find('=');
    if (equals != std::string::npos &&
        std::string_view(text).substr(0, equals).find("password") != std::string_view::npos)
        text = text.substr(0, equals) + "=...";
    return fmt::format("--set {}", has_control_character(text) ? quote(text) : shell_quote(text));
}

void Findings::raise_if_any() const {
    if (found_.empty())
        return;
    auto sorted = found_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Finding& a, const Finding& b) { return a.place < b.place; });
    std::vector<std::string> lines;
    lines.reserve(sorted.size());
    for (const auto& [place, sentence] : sorted) lines.push_back(fmt::format("{}: {}", text_of(place), sentence));
    throw Error(ErrorKind::recipe, joined(lines, "\n"));
}

}  // namespace vprov::recipe
