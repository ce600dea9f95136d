// A TOML text as a tree with positions. The only part of vprov that knows the TOML library. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace vprov::recipe {

// Where something was written: a line and column of the file (from 1), or the nth --set.
struct Place {
    static constexpr std::uint32_t kFile = 0;
    std::uint32_t override_number = kFile;  // 1 for the first --set; orders after the whole file
    std::uint32_t line = 1, column = 1;
    bool operator<(const Place& other) const {
        return std::tie(override_number, line, column) < std::tie(other.override_number, other.line, other.column);
    }
};

struct Entry;

struct Node {
    enum class Kind { string, integer, real, boolean, date, array, table };
    Kind kind = Kind::table;
    Place place;
    std::string text;  // a string's value; for the other scalars as they were written or would be
    std::int64_t integer = 0;
    bool boolean = false;
    std::vector<Node> items;     // of an array
    std::vector<Entry> entries;  // of a table

    const Node* find(std::string_view key) const;  // nullptr when there is none, and for what is no table
    Node* find(std::string_view key);
    Place place_of(std::string_view key) const;  // of the key's value; of this table when the key is missing
};

struct Entry {
    std::string key;
    Place place;  // of the key
    Node value;
};

struct SyntaxError {  // thrown by parse_document()
    Place place;
    std::string cause;
};

// The table at the top of a TOML 1.0 text. Throws SyntaxError.
Node parse_document(std::string_view text);

// What stands after the "=" of a --set: a TOML value, or else the text itself as a string. `place` is every node's.
Node parse_value(const std::string& text, Place place);

}  // namespace vprov::recipe
