#include "bootstrap/resolve/resolve.h"

#include <algorithm>

#include "bootstrap/resolve/explain.h"
#include "bootstrap/resolve/graph.h"
#include "bootstrap/resolve/marks.h"
#include "bootstrap/resolve/release_switch.h"
#include "bootstrap/resolve/repair.h"
#include "bootstrap/resolve/sweep.h"
#include "bootstrap/resolve/wishes.h"

namespace vprov::resolve {
namespace {

// Each is marked before the first dependency is looked at: a wish counts for more than any choice.
void mark_wishes(Marks& marks, const Wishes& wishes) {
    for (auto* node : wishes.removals) node->is_protected = true;
    for (const auto& wish : wishes.installs) {
        if (wish.version)
            marks.set_candidate(*wish.version);
        wish.node->is_protected = true;
        marks.install(*wish.node, Follow::nothing, By::user);
    }
    ReleaseSwitch releases(marks);
    for (const auto& wish : wishes.installs)
        if (!wish.release.empty())
            releases.run(*wish.version, wish.release);
    for (const auto& wish : wishes.installs) marks.install(*wish.node, Follow::dependencies, By::user);
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

    const auto wishes = read_wishes(graph, request, excluded);
    mark_wishes(marks, wishes);
    std::vector<Node*> wished = wishes.removals;
    for (const auto& wish : wishes.installs) wished.push_back(wish.node);
    Repair(marks, wished).run();
    throw_if_broken(marks, excluded);
    Sweep(marks).run();
    return marked_set(graph);
}

}  // namespace vprov::resolve
