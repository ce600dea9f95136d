#include "bootstrap/unpack/stat_overrides.h"

#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace vprov::unpack {
namespace {

template <class Number>
bool parse_number(std::string_view text, Number& value, int base) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return !text.empty() && failure == std::errc{} && end == text.data() + text.size();
}

// `table` is passwd(5) or group(5): in both the name comes first and the id third.
std::uint32_t id_of(std::string_view who, std::string_view table, std::string_view what) {
    std::uint32_t id = 0;
    if (who.starts_with('#') && parse_number(who.substr(1), id, 10))
        return id;
    for (const auto line : split(table, '\n')) {
        const auto fields = split(line, ':');
        if (fields.size() > 2 && fields[0] == who && parse_number(fields[2], id, 10))
            return id;
    }
    throw error(ErrorKind::packages, "the statoverride file has a {} {} that the tree does not know", what, quote(who));
}

}  // namespace

std::map<std::string, StatOverride, std::less<>> read_stat_overrides(std::string_view text, std::string_view passwd,
                                                                     std::string_view group) {
    std::map<std::string, StatOverride, std::less<>> overrides;
    for (const auto line : split(text, '\n')) {
        if (line.empty())
            continue;
        const auto words = split_words(line);
        StatOverride found;
        if (words.size() < 4 || !parse_number(words[2], found.mode, 8) || !words[3].starts_with('/'))
            throw error(ErrorKind::packages, "the statoverride file has a line {}", quote(line));
        found.uid = id_of(words[0], passwd, "user");
        found.gid = id_of(words[1], group, "group");
        found.mode &= 07777;
        overrides.emplace(line.substr(static_cast<std::size_t>(words[3].data() - line.data())), found);
    }
    return overrides;
}

}  // namespace vprov::unpack
