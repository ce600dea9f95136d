#include "config-render/templates.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace vprov::render {
namespace {

constexpr char kLineEnd = '\x1e';

// {{#name}}, {{^name}}, {{/name}} or {{!text}} and nothing else
bool is_section_tag(std::string_view line) {
    const auto tag = trimmed(line);
    return tag.size() > 4 && tag.starts_with("{{") && tag.find("}}") == tag.size() - 2 &&
           std::string_view("#^/!").find(tag[2]) != std::string_view::npos;
}

// kainjow-mustache 4.1 leaves an empty line where a section that is not rendered stood alone on its lines, and drops
// empty lines that begin a section. So it gets to see no lines: tags that stand alone lose theirs here, as the
// mustache specification says, and the others end in a character that it passes through.
std::string without_lines(std::string_view text) {
    std::string out;
    for (const auto line : split(text, '\n'))
        out += is_section_tag(line) ? std::string(trimmed(line)) : std::string(line) + kLineEnd;
    if (text.ends_with('\n'))
        out.pop_back();  // what split() gave behind the last newline
    return out;
}

}  // namespace

std::string rendered(std::string_view name, const kainjow::mustache::data& values) {
    const auto table = template_table();
    const auto found = std::ranges::find(table, name, &Template::name);
    if (found == table.end())
        throw error(ErrorKind::internal, "internal error: no template {}", quote(name));
    kainjow::mustache::mustache mustache{without_lines(found->text)};
    if (!mustache.is_valid())
        throw error(ErrorKind::internal, "internal error: template {}: {}", quote(name), mustache.error_message());
    mustache.set_custom_escape([](const std::string& text) { return text; });
    auto text = mustache.render(values);
    std::ranges::replace(text, kLineEnd, '\n');
    return text;
}

}  // namespace vprov::render
