// A set of packages that fits together, where apt's way to one has led nowhere. Pure.
#pragma once

#include <optional>
#include <unordered_set>
#include <vector>

#include "bootstrap/resolve/graph.h"
#include "bootstrap/resolve/marks.h"
#include "bootstrap/resolve/wishes.h"

namespace vprov::resolve {

enum class Offered { candidates, every_version };

// Versions that hold all wishes, with everything that they depend on and no conflict; recommended packages do not
// count. Where there is a choice those of `preferred` come first, then apt's order. nullopt when there are none (or
// when it would take unreasonably long to tell). `marks` are of a graph in which nothing is marked.
std::optional<std::vector<Version*>> search(Marks& marks, const Wishes& wishes,
                                            const std::unordered_set<const deb::Package*>& preferred,
                                            const std::unordered_set<std::string_view>& excluded, Offered offered);

}  // namespace vprov::resolve
