#include "hypervisor/guest/cfg_values.h"

#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {

std::optional<std::uint64_t> parse_number(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text.starts_with('0')) {
        base = 8;
    }
    std::uint64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number, base);
    if (text.empty() || failure != std::errc{} || stop != end || number > INT64_MAX)
        return std::nullopt;
    return number;
}

const CfgEntry* CfgValues::find(const std::string& key) const {
    const auto place = entries_.find(key);
    return place == entries_.end() ? nullptr : &place->second;
}

int CfgValues::line_of(const std::string& key) const {
    const auto* entry = find(key);
    return entry ? entry->line : 1;
}

std::string CfgValues::string(const std::string& key) const {
    return optional_string(key).value_or("");
}

std::optional<std::string> CfgValues::optional_string(const std::string& key) const {
    const auto* entry = find(key);
    if (!entry)
        return std::nullopt;
    if (!entry->value.text())
        fail(entry->line, fmt::format("cannot use {}: it is a list, and a string is needed", quote(key)));
    return *entry->value.text();
}

std::vector<std::string> CfgValues::strings(const std::string& key) const {
    const auto* entry = find(key);
    if (!entry)
        return {};
    if (entry->value.text())
        return {*entry->value.text()};
    std::vector<std::string> strings;
    for (const auto& item : *entry->value.list()) {
        if (!item.text())
            fail(item.line, fmt::format("cannot use {}: a list stands in it where a string is needed", quote(key)));
        strings.push_back(*item.text());
    }
    return strings;
}

std::uint64_t CfgValues::number(const std::string& key, std::uint64_t if_absent, std::uint64_t least,
                                std::uint64_t most) const {
    const auto* entry = find(key);
    if (!entry)
        return if_absent;
    const auto* text = entry->value.text();
    const auto value = text ? parse_number(*text) : std::nullopt;
    if (!value)
        fail(entry->line, fmt::format("cannot use {}: {} is not a number", quote(key), text ? quote(*text) : "a list"));
    if (*value < least || *value > most)
        fail(entry->line, fmt::format("cannot use {}: {} is not between {} and {}", quote(key), *value, least, most));
    return *value;
}

bool CfgValues::flag(const std::string& key) const {
    return number(key, 0, 0, INT64_MAX) != 0;
}

void CfgValues::fail(int line, const std::string& cause) const {
    throw error(ErrorKind::hypervisor, "{}: {}", at(line), cause);
}

std::string CfgValues::at(int line) const {
    return fmt::format("{}:{}", file_, line);
}

}  // namespace vprov::hypervisor
