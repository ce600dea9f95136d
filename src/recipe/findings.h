// The mistakes found in a recipe, gathered so that a user sees all of them at once. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "recipe/document.h"

namespace vprov::recipe {

class Findings {
  public:
    Findings(std::string file, const std::vector<std::string>& overrides)
        : file_(std::move(file)), overrides_(overrides) {}

    void add(Place place, std::string sentence) { found_.push_back({place, std::move(sentence)}); }
    // "cannot use VALUE as WHAT: CAUSE"; VALUE is quoted, or says "a table" or "a list".
    void refuse(const Node& value, std::string_view what, std::string_view cause);

    // "debian1.toml:7:1", or "--set system.suite=trixie" (without its value where that is a password).
    std::string text_of(Place place) const;

    void raise_if_any() const;  // throws Error(recipe), a line for each, in the order of their places

  private:
    struct Finding {
        Place place;
        std::string sentence;
    };
    std::string file_;
    std::vector<std::string> overrides_;
    std::vector<Finding> found_;
};

}  // namespace vprov::recipe
