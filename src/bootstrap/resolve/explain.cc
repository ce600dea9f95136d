#include "bootstrap/resolve/explain.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace vprov::resolve {
namespace {

std::string suites(const deb::PackageIndex& index) {
    std::vector<std::string> names;
    for (const auto& release : index.releases())
        if (std::find(names.begin(), names.end(), release.suite) == names.end())
            names.push_back(release.suite);
    return joined(names, ", ");
}

[[noreturn]] void throw_unknown(const Graph& graph, std::string_view name) {
    std::vector<std::string_view> known;
    for (const auto& package : graph.index().packages()) known.push_back(package.name);
    const auto meant = nearest(name, known);
    throw error(ErrorKind::packages, "cannot find package {} in {}{}", quote(name), suites(graph.index()),
                meant.empty() ? "" : fmt::format("; did you mean {}?", quote(meant)));
}

}  // namespace

Node& wished_node(Graph& graph, std::string_view name) {
    auto& target = graph.target(name);
    if (target.node->candidate)
        return *target.node;
    std::vector<Node*> providers;
    for (const auto& offer : target.offers)
        if (offer.provider->node->candidate == offer.provider &&
            std::find(providers.begin(), providers.end(), offer.provider->node) == providers.end())
            providers.push_back(offer.provider->node);
    if (providers.size() == 1)
        return *providers.front();
    if (providers.empty())
        throw_unknown(graph, name);
    std::set<std::string> names;
    for (const auto* provider : providers) names.insert(quote(provider->name));
    throw error(ErrorKind::packages, "cannot choose a package for {}: it is provided by {}; name one of them",
                quote(name), fmt::join(names, ", "));
}

void throw_if_broken(Marks& marks, const std::vector<Node*>& /*wishes*/) {
    for (auto& node : marks.graph().nodes())
        if (marks.is_broken(node))
            throw error(ErrorKind::packages, "cannot install {}: it lacks something", quote(node.name));
}

}  // namespace vprov::resolve
