#include "recipe/values.h"

namespace vprov::recipe {

std::string string_of(const Node& node) {
    const bool scalar = node.kind != Node::Kind::array && node.kind != Node::Kind::table;
    if (node.kind != Node::Kind::string && !(scalar && node.place.override_number != Place::kFile))
        throw Refusal{"a string is wanted, in double quotes"};
    return node.text;
}

bool boolean_of(const Node& node) {
    if (node.kind != Node::Kind::boolean)
        throw Refusal{"true or false is wanted, without quotes"};
    return node.boolean;
}

std::int64_t integer_of(const Node& node) {
    if (node.kind != Node::Kind::integer)
        throw Refusal{"an integer is wanted"};
    return node.integer;
}

Bytes size_of(const Node& node) {
    if (node.kind == Node::Kind::string)
        if (const auto size = parse_bytes(node.text))
            return *size;
    throw Refusal{"a size is wanted: a number with K, M, G or T, as in \"512M\""};
}

std::string choice_flaw(std::string_view text, const std::vector<std::string_view>& words) {
    std::string list;
    for (std::size_t i = 0; i < words.size(); ++i)
        list += fmt::format("{}{}", i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
    const auto near = text.size() < 4 ? std::string_view() : nearest(text, words);  // short words are all alike
    return fmt::format("{} is wanted{}", list, near.empty() ? "" : fmt::format("; did you mean {}?", quote(near)));
}

}  // namespace vprov::recipe
