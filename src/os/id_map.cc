#include "os/id_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace vprov::os {
namespace {

constexpr std::uint32_t kNobody = 65534;

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

// Without one id, which is somebody's own.
IdMap without(const IdMap& ranges, std::uint32_t id) {
    IdMap kept;
    for (const auto& range : ranges) {
        if (id < range.outside || id - range.outside >= range.count) {
            kept.push_back(range);
            continue;
        }
        const auto before = id - range.outside;
        if (before > 0)
            kept.push_back({0, range.outside, before});
        if (before + 1 < range.count)
            kept.push_back({0, id + 1, range.count - before - 1});
    }
    return kept;
}

}  // namespace

IdMap parse_id_map(std::string_view text) {
    IdMap map;
    for (const auto line : split(text, '\n')) {
        const auto words = split_words(line);
        if (words.size() != 3)
            continue;
        const auto inside = number(words[0]), outside = number(words[1]), count = number(words[2]);
        if (inside && outside && count)
            map.push_back({*inside, *outside, *count});
    }
    return map;
}

std::string id_map_text(const IdMap& map) {
    std::string text;
    for (const auto& range : map) text += fmt::format("{} {} {}\n", range.inside, range.outside, range.count);
    return text;
}

std::uint32_t ids_from_zero(const IdMap& map) {
    auto sorted = map;
    std::ranges::sort(sorted, {}, &IdRange::inside);
    std::uint64_t count = 0;
    for (const auto& range : sorted)
        if (range.inside == count)
            count += range.count;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, kAllIds));
}

IdMap identity_of(const IdMap& map) {
    auto same = map;
    for (auto& range : same) range.outside = range.inside;
    return same;
}

IdMap subordinate_ranges(std::string_view text, std::string_view user, std::uint32_t uid) {
    IdMap ranges;
    const auto as_number = std::to_string(uid);
    for (const auto line : split(text, '\n')) {
        const auto fields = split(trimmed(line), ':');
        if (fields.size() != 3 || (fields[0] != user && fields[0] != as_number))
            continue;
        const auto first = number(fields[1]), count = number(fields[2]);
        if (first && count && *count > 0)
            ranges.push_back({0, *first, *count});
    }
    return ranges;
}

IdMap map_with_subordinates(std::uint32_t own, const IdMap& subordinates) {
    IdMap map = {{0, own, 1}};
    std::uint32_t next = 1;
    for (const auto& range : without(subordinates, own)) {
        const auto count = std::min(range.count, kAllIds - next);
        if (count == 0)
            break;
        map.push_back({next, range.outside, count});
        next += count;
    }
    if (next == 1 || next > kNobody)
        return map;
    auto& last = map.back();
    last.count -= 1;
    const IdRange nobody{kNobody, last.outside + last.count, 1};
    if (last.count == 0)
        map.pop_back();
    map.push_back(nobody);
    return map;
}

}  // namespace vprov::os
