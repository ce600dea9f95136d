// What recipe::parse() says about a text, for tests that compare whole sentences.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "recipe/recipe.h"

namespace vprov::recipe {

// A recipe without a mistake, which a test adds to.
inline constexpr std::string_view kGood =
    "name = \"g1\"\n"          // line 1
    "[[disk]]\n"               // 2
    "size = \"1G\"\n"          // 3
    "filesystem = \"ext4\"\n"  // 4
    "mount = \"/\"\n";         // 5; what a test adds starts at line 6

inline std::string mistakes(std::string_view text, const std::vector<std::string>& overrides = {}) {
    try {
        parse(text, "g1.toml", overrides);
    } catch (const Error& e) {
        return e.kind() == ErrorKind::recipe ? e.message() : "another kind of error: " + e.message();
    }
    return "none";
}

inline std::string mistakes_after_good(std::string_view text, const std::vector<std::string>& overrides = {}) {
    return mistakes(std::string(kGood).append(text), overrides);
}

}  // namespace vprov::recipe
