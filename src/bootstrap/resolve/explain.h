// Why a request cannot be had, in words a person can follow. Pure.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "bootstrap/resolve/graph.h"
#include "bootstrap/resolve/marks.h"

namespace vprov::resolve {

// Says that there is no such package, with the nearest name.
[[noreturn]] void throw_unknown(const Graph& graph, const Node& node);

// Why two architectures of a package cannot be installed together.
std::string exclusion_text(const Version& version, const Version& other);

// The package itself, or the only one that provides it, as apt takes it: of one that several architectures have the
// preferred one. Throws Error(packages) if there is none, with the nearest name, or more than one, with all of them.
Node& wished_node(Graph& graph, Node& asked);

// Throws Error(packages) for the first of the marked packages that lacks something, with the chain of wants from
// what cannot be had up to the recipe. Does nothing if all is well.
void throw_if_broken(Marks& marks, const std::unordered_set<std::string_view>& excluded);

}  // namespace vprov::resolve
