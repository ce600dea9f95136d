// What was asked for, found in the archive: the variant's packages and those that the request names. Pure.
#pragma once

#include <string_view>
#include <unordered_set>
#include <vector>

#include "bootstrap/deb/package_wish.h"
#include "bootstrap/resolve/graph.h"
#include "bootstrap/resolve/resolve.h"

namespace vprov::resolve {

struct Wish {
    Node* node = nullptr;
    Version* version = nullptr;  // what "=VERSION" or "/RELEASE" stands for; nullptr: apt's candidate
    std::string_view release;    // "" unless that was said: what it needs may come from there too
};

struct Wishes {
    std::vector<Wish> installs;   // in the order in which apt is asked for them, each package once
    std::vector<Node*> removals;  // "NAME-"
};

// Throws Error(packages) for what is not there, with what is: names, versions or releases; and for a package that is to
// be included and excluded.
Wishes read_wishes(Graph& graph, const Request& request, const std::unordered_set<std::string_view>& excluded);

// The package that the wish names, as apt finds it: without an architecture the native one, or where only foreign
// architectures have versions the first of these. Throws Error(packages) for an architecture that there is not.
Node& asked_node(Graph& graph, const deb::PackageWish& wish);

// Whether a release, given as for apt ("bookworm-backports", "oldstable", "12", "*-security"), has the package.
bool is_from(const deb::PackageIndex& index, const deb::Package& package, std::string_view release);

}  // namespace vprov::resolve
