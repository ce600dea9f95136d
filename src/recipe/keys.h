// The keys of a recipe's tables as data: a key is declared once, with the reader of its value; unknown keys, the
// nearest key and the list that the manual is checked against come from the same declaration. Pure.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "recipe/document.h"
#include "recipe/findings.h"

namespace vprov::recipe {

// Thrown by the reader of a value; becomes "cannot use VALUE as WHAT: CAUSE".
struct Refusal {
    std::string cause;
};

template <class T>
struct Key {
    std::string_view name;
    // `what` names the key in a message: "[domain] memory".
    std::function<void(T& into, const Node& value, const std::string& what, Findings& findings)> read;
    std::vector<std::string> below;  // for a table: the paths of its own keys
};

template <class T>
struct Keys {
    std::string title;  // "[domain]", "[[disk]]"; "" for the top
    std::vector<Key<T>> keys;
    std::vector<std::string_view> later;  // keys of the design that this version does not read
    std::vector<std::string_view> required;
    std::function<void(const T& value, const Node& table, Findings& findings)> check;  // what spans several keys

    std::string name_of(std::string_view key) const {
        return title.empty() ? std::string(key) : fmt::format("{} {}", title, key);
    }

    std::vector<std::string> paths() const {  // "type", "kernel.package", ...
        std::vector<std::string> all;
        for (const auto& key : keys) {
            all.emplace_back(key.name);
            for (const auto& path : key.below) all.push_back(fmt::format("{}.{}", key.name, path));
        }
        return all;
    }

    void read(T& into, const Node& table, Findings& findings) const {
        for (const auto& entry : table.entries) {
            const auto key =
                std::find_if(keys.begin(), keys.end(), [&](const Key<T>& k) { return k.name == entry.key; });
            if (key == keys.end())
                findings.add(entry.place, unknown(entry.key));
            else
                key->read(into, entry.value, name_of(key->name), findings);
        }
        for (const auto wanted : required)
            if (!table.find(wanted))
                findings.add(table.place,
                             fmt::format("cannot use {}: it has no {}", title.empty() ? "the recipe" : title, wanted));
        if (check)
            check(into, table, findings);
    }

  private:
    std::string unknown(const std::string& key) const {
        const auto place = title.empty() ? std::string() : fmt::format(" in {}", title);
        if (std::find(later.begin(), later.end(), key) != later.end())
            return fmt::format("cannot use key {}{}: not supported by this version", quote(key), place);
        std::vector<std::string_view> names;
        for (const auto& known : keys) names.push_back(known.name);
        const auto near = nearest(key, names);
        return fmt::format("cannot use key {}{}: unknown{}", quote(key), place,
                           near.empty() ? "" : fmt::format("; did you mean {}?", quote(near)));
    }
};

// Runs `reader` on one value; a Refusal becomes a finding.
template <class Reader>
void read_value(const Node& value, const std::string& what, Findings& findings, const Reader& reader) {
    try {
        reader();
    } catch (const Refusal& refusal) {
        findings.refuse(value, what, refusal.cause);
    }
}

// A key with one value; `reader` is a function Node -> value that throws Refusal.
template <class T, class Member, class Reader>
Key<T> key(std::string_view name, Member T::*member, Reader reader) {
    return {name,
            [=](T& into, const Node& value, const std::string& what, Findings& findings) {
                read_value(value, what, findings, [&] { into.*member = reader(value); });
            },
            {}};
}

enum class EmptyList { allowed, refused };

// A key with an array of such values; every item is judged on its own.
template <class T, class Item, class Reader>
Key<T> list(std::string_view name, std::vector<Item> T::*member, Reader reader, EmptyList empty = EmptyList::allowed) {
    return {name,
            [=](T& into, const Node& value, const std::string& what, Findings& findings) {
                if (value.kind != Node::Kind::array)
                    return findings.refuse(value, what, "a list is wanted, as in [\"a\", \"b\"]");
                if (value.items.empty() && empty == EmptyList::refused)
                    return findings.refuse(value, what, "it is empty");
                (into.*member).clear();
                for (const auto& item : value.items)
                    read_value(item, what, findings, [&] { (into.*member).push_back(reader(item)); });
            },
            {}};
}

template <class T, class Member>
Key<T> table(std::string_view name, Member T::*member, const Keys<Member>& keys) {
    return {name,
            [=](T& into, const Node& value, const std::string& what, Findings& findings) {
                if (value.kind != Node::Kind::table)
                    return findings.refuse(value, what, fmt::format("a table is wanted, once, as {}", keys.title));
                keys.read(into.*member, value, findings);
            },
            keys.paths()};
}

// One item for every table that is there, faulty ones too: indices into the member are those of the TOML array.
template <class T, class Member>
Key<T> tables(std::string_view name, std::vector<Member> T::*member, const Keys<Member>& keys) {
    return {name,
            [=](T& into, const Node& value, const std::string& what, Findings& findings) {
                if (value.kind != Node::Kind::array)
                    return findings.refuse(value, what,
                                           fmt::format("a list of tables is wanted, each written as {}", keys.title));
                for (const auto& item : value.items) {
                    auto& added = (into.*member).emplace_back();
                    if (item.kind == Node::Kind::table)
                        keys.read(added, item, findings);
                    else
                        findings.refuse(item, what, "a table is wanted");
                }
            },
            keys.paths()};
}

// Adds a finding for every item of `list` whose value (by `value_of`, "" for none) an earlier one has already. `array`
// is the TOML array of the list; it may be null.
template <class T, class ValueOf>
void refuse_repeats(const std::vector<T>& list, const Node* array, std::string_view title, std::string_view key,
                    const ValueOf& value_of, Findings& findings) {
    for (std::size_t later = 1; array && later < list.size(); ++later) {
        const std::string value = value_of(list[later]);
        for (std::size_t first = 0; first < later && !value.empty(); ++first) {
            if (value_of(list[first]) != value)
                continue;
            findings.add(array->items[later].place_of(key),
                         fmt::format("cannot use {} as {} {}: it is taken by the one at {}", quote(value), title, key,
                                     findings.text_of(array->items[first].place_of(key))));
            break;
        }
    }
}

}  // namespace vprov::recipe
