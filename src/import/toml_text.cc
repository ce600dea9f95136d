#include "import/toml_text.h"

#include <fmt/format.h>

#include "base/text.h"

namespace vprov::imports {

std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
        else
            out += c;
    }
    return out + "\"";
}

std::string toml_list(const std::vector<std::string>& items) {
    std::vector<std::string> quoted;
    quoted.reserve(items.size());
    for (const auto& item : items) quoted.push_back(toml_string(item));
    return fmt::format("[{}]", joined(quoted, ", "));
}

void TomlText::comment(std::string_view text) {
    text_ += fmt::format("# {}\n", text);
}

void TomlText::table(std::string_view heading) {
    heading_ = heading;
}

void TomlText::finish_table() {
    if (!heading_.empty())
        text_ += fmt::format("\n{}\n", heading_);
    heading_.clear();
}

void TomlText::key(std::string_view name, std::string_view value) {
    finish_table();
    text_ += fmt::format("{} = {}\n", name, value);
}

void TomlText::string(std::string_view name, std::string_view text) {
    if (!text.empty())
        key(name, toml_string(text));
}

void TomlText::yes(std::string_view name, bool value) {
    if (value)
        key(name, "true");
}

void TomlText::list(std::string_view name, const std::vector<std::string>& items) {
    if (!items.empty())
        key(name, toml_list(items));
}

}  // namespace vprov::imports
