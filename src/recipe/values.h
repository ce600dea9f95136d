// Readers of single values: a TOML node in, a checked value out. They throw Refusal. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "recipe/document.h"
#include "recipe/keys.h"

namespace vprov::recipe {

using FlawOf = std::string (*)(std::string_view);  // of forms.h: "" for a good word, or else the cause

std::string string_of(const Node& node);  // a number or boolean that came with --set is taken as text
bool boolean_of(const Node& node);
std::int64_t integer_of(const Node& node);
Bytes size_of(const Node& node);  // "512M"

// A string in which `flaw_of` finds no flaw.
inline auto word(FlawOf flaw_of) {
    return [flaw_of](const Node& node) {
        auto text = string_of(node);
        if (auto flaw = flaw_of(text); !flaw.empty())
            throw Refusal{std::move(flaw)};
        return text;
    };
}

template <class Value>
using Choices = std::vector<std::pair<std::string_view, Value>>;

std::string choice_flaw(std::string_view text, const std::vector<std::string_view>& words);

// One of several words.
template <class Value>
auto choice(Choices<Value> choices) {
    return [choices = std::move(choices)](const Node& node) {
        const auto text = string_of(node);
        std::vector<std::string_view> words;
        for (const auto& [name, value] : choices) {
            if (name == text)
                return value;
            words.push_back(name);
        }
        throw Refusal{choice_flaw(text, words)};
    };
}

}  // namespace vprov::recipe
