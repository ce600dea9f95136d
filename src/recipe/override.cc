#include "recipe/override.h"

#include <charconv>
#include <optional>

#include "base/text.h"
#include "recipe/keys.h"

namespace vprov::recipe {
namespace {

std::optional<std::size_t> index_of(std::string_view text) {
    std::size_t index = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (failure != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return index;
}

// The member of `node` that `step` names, made when missing. Throws Refusal.
Node& member(Node& node, std::string_view step, std::string_view walked, Place place) {
    if (node.kind == Node::Kind::table) {
        if (auto* found = node.find(step))
            return *found;
        Node made;
        made.place = place;
        return node.entries.emplace_back(Entry{std::string(step), place, std::move(made)}).value;
    }
    if (node.kind != Node::Kind::array)
        throw Refusal{fmt::format("{} has no keys", quote(walked))};
    const auto index = index_of(step);
    if (!index)
        throw Refusal{fmt::format("{} is a list: its items are named by number, as {}.0", quote(walked), walked)};
    if (*index > node.items.size())
        throw Refusal{
            fmt::format("{} has {} item{}", quote(walked), node.items.size(), node.items.size() == 1 ? "" : "s")};
    if (*index == node.items.size())
        node.items.emplace_back().place = place;
    return node.items[*index];
}

void assign(Node& root, std::string_view key, const std::string& value, Place place) {
    Node* node = &root;
    std::size_t start = 0;
    for (const auto step : split(key, '.')) {
        if (step.empty())
            throw Refusal{"KEY is words with dots between them, as in system.suite or disk.0.size"};
        // a table that was made on the way holds a list when its first member is a number: disk.0 of no disks
        if (node != &root && node->kind == Node::Kind::table && node->entries.empty() && index_of(step))
            node->kind = Node::Kind::array;
        node = &member(*node, step, start == 0 ? std::string_view() : key.substr(0, start - 1), place);
        start += step.size() + 1;
    }
    *node = parse_value(value, place);
}

}  // namespace

void apply_override(Node& root, const std::string& assignment, std::uint32_t number, Findings& findings) {
    const Place place{number, 1, 1};
    const auto equals = assignment.find('=');
    try {
        if (equals == std::string::npos)
            throw Refusal{"KEY=VALUE is wanted"};
        const auto key = std::string(trimmed(std::string_view(assignment).substr(0, equals)));
        assign(root, key, assignment.substr(equals + 1), place);
    } catch (const Refusal& refusal) {
        findings.add(place, fmt::format("cannot set a key: {}", refusal.cause));
    }
}

}  // namespace vprov::recipe
