// apt's sources as a recipe gives them, in place of a mirror. Pure; unlike the host's own sources (apt_sources.h), what
// cannot be understood in them is an error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bootstrap/deb/architectures.h"
#include "recipe/recipe.h"

namespace vprov::plan {

// "deb [OPTIONS] URI SUITE COMPONENT..." as opposed to the name of a file that holds such lines.
bool is_source_line(std::string_view text);

// The key that stands in a deb822 field, where its empty lines are dots and all have a blank before them.
std::string unfolded_key(std::string_view value);

// The repositories of binary packages of one-line or deb822 sources (sources.list(5)) in their order, without those
// that are disabled or for other architectures than `architectures`. Options that only matter to apt are passed over.
// Throws Error(recipe) "cannot use NAME, line N: CAUSE", or without the line where nothing is left.
std::vector<recipe::Repository> read_sources(std::string_view text, std::string_view name,
                                             const deb::Architectures& architectures);

}  // namespace vprov::plan
