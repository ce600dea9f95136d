#include "recipe/document.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <sstream>

namespace vprov::recipe {
namespace {

Place place_of_source(const toml::source_position& position) {
    return {Place::kFile, std::max<std::uint32_t>(position.line, 1), std::max<std::uint32_t>(position.column, 1)};
}

std::string as_written(const toml::node& node) {
    std::ostringstream out;
    node.visit([&out](const auto& value) { out << value; });
    return out.str();
}

Node converted(const toml::node& from) {
    Node node;
    node.place = place_of_source(from.source().begin);
    if (const auto* table = from.as_table()) {
        node.kind = Node::Kind::table;
        for (const auto& [key, value] : *table)
            node.entries.push_back({std::string(key.str()), place_of_source(key.source().begin), converted(value)});
        return node;
    }
    if (const auto* array = from.as_array()) {
        node.kind = Node::Kind::array;
        for (const auto& item : *array) node.items.push_back(converted(item));
        return node;
    }
    if (const auto* string = from.as_string()) {
        node.kind = Node::Kind::string;
        node.text = string->get();
        return node;
    }
    node.text = as_written(from);
    node.kind = Node::Kind::date;
    if (const auto* integer = from.as_integer()) {
        node.kind = Node::Kind::integer;
        node.integer = integer->get();
    } else if (const auto* boolean = from.as_boolean()) {
        node.kind = Node::Kind::boolean;
        node.boolean = boolean->get();
    } else if (from.is_floating_point()) {
        node.kind = Node::Kind::real;
    }
    return node;
}

void move_to(Node& node, Place place) {
    node.place = place;
    for (auto& item : node.items) move_to(item, place);
    for (auto& entry : node.entries) {
        entry.place = place;
        move_to(entry.value, place);
    }
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : &found->value;
}

Node* Node::find(std::string_view key) {
    return const_cast<Node*>(std::as_const(*this).find(key));
}

Place Node::place_of(std::string_view key) const {
    const auto* value = find(key);
    return value ? value->place : place;
}

Node parse_document(std::string_view text) {
    try {
        return converted(toml::parse(text));
    } catch (const toml::parse_error& e) {
        throw SyntaxError{place_of_source(e.source().begin), std::string(e.description())};
    }
}

Node parse_value(const std::string& text, Place place) {
    Node node;
    node.kind = Node::Kind::string;
    node.text = text;
    try {
        auto document = parse_document(fmt::format("value = {}\n", text));
        if (document.entries.size() == 1)
            node = std::move(document.entries.front().value);
        if (node.kind != Node::Kind::string)
            node.text = text;
    } catch (const SyntaxError&) {
        node.text = text;  // a bare string: trixie, 2G
    }
    move_to(node, place);
    return node;
}

}  // namespace vprov::recipe
