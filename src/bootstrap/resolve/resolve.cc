#include "bootstrap/resolve/resolve.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/resolve/explain.h"
#include "bootstrap/resolve/graph.h"
#include "bootstrap/resolve/marks.h"
#include "bootstrap/resolve/repair.h"
#include "bootstrap/resolve/sweep.h"

namespace vprov::resolve {
namespace {

bool is_base(const deb::Package& package, Variant variant) {
    if (package.essential)
        return true;
    if (variant == Variant::essential)
        return false;
    return package.priority == "required" || (variant == Variant::standard && package.priority == "important");
}

// What a system of the variant starts from, in the order in which apt is asked for it. The names count that bear the
// mark in any version of any release, as for debootstrap.
std::vector<std::string_view> base_names(const deb::PackageIndex& index, Variant variant) {
    std::set<std::string_view> marked;
    for (const auto& package : index.packages())
        if (is_base(package, variant))
            marked.insert(package.name);
    std::vector<std::string_view> names(marked.begin(), marked.end());
    if (variant != Variant::essential)
        names.push_back("apt");
    if (variant == Variant::buildd)
        names.push_back("build-essential");
    // A root whose /bin, /sbin and /lib are links from the start needs no usrmerge.
    if (!index.versions_of("usr-is-merged").empty())
        names.push_back("usr-is-merged");
    return names;
}

// In the order in which apt is asked for them, each once.
std::vector<Node*> wishes(Graph& graph, const Request& request, const std::unordered_set<std::string_view>& excluded) {
    std::vector<Node*> nodes;
    const auto wish = [&](std::string_view name, std::string_view asked_by) {
        auto& node = wished_node(graph, name);
        node.asked_by = asked_by;
        if (std::find(nodes.begin(), nodes.end(), &node) == nodes.end())
            nodes.push_back(&node);
    };
    for (const auto name : base_names(graph.index(), request.variant))
        if (!excluded.contains(name))
            wish(name, "the base system");
    for (const auto& name : request.include) {
        if (excluded.contains(name))
            throw error(ErrorKind::packages, "cannot include package {}: it is excluded as well", quote(name));
        wish(name, "the recipe");
    }
    return nodes;
}

PackageSet marked_set(Graph& graph) {
    PackageSet set;
    for (const auto& node : graph.nodes())
        if (node.mode == Mode::install)
            set.packages.push_back({node.install->package, node.automatic});
    std::sort(set.packages.begin(), set.packages.end(),
              [](const Selected& a, const Selected& b) { return a.package->name < b.package->name; });
    return set;
}

template <class Member>
Bytes sum(const std::vector<Selected>& packages, Member member) {
    Bytes total;
    for (const auto& selected : packages) total += selected.package->*member;
    return total;
}

}  // namespace

Bytes PackageSet::download_size() const {
    return sum(packages, &deb::Package::size);
}
Bytes PackageSet::installed_size() const {
    return sum(packages, &deb::Package::installed_size);
}

PackageSet resolve(const deb::PackageIndex& index, const Request& request) {
    const std::unordered_set<std::string_view> excluded(request.exclude.begin(), request.exclude.end());
    Graph graph(index, excluded);
    Marks marks(graph, request.recommends ? Recommends::followed : Recommends::ignored);

    const auto wished = wishes(graph, request, excluded);
    // Each is marked before the first dependency is looked at: a wish counts for more than any choice.
    for (auto* node : wished) {
        node->is_protected = true;
        marks.install(*node, Follow::nothing, By::user);
    }
    for (auto* node : wished) marks.install(*node, Follow::dependencies, By::user);
    Repair(marks, wished).run();
    throw_if_broken(marks, excluded);
    Sweep(marks).run();
    return marked_set(graph);
}

}  // namespace vprov::resolve
