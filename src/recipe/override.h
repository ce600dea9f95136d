// --set KEY=VALUE on a recipe's tree, before anything is checked. Pure.
#pragma once

#include <string>

#include "recipe/document.h"
#include "recipe/findings.h"

namespace vprov::recipe {

// Sets what KEY names ("system.suite", "disk.0.size"; a list grows by one when its size is the number). Tables that
// are missing are made. `number` is the override's place, from 1. A KEY that cannot be walked becomes a finding.
void apply_override(Node& root, const std::string& assignment, std::uint32_t number, Findings& findings);

}  // namespace vprov::recipe
