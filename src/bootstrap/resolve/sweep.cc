#include "bootstrap/resolve/sweep.h"

#include <algorithm>
#include <compare>
#include <map>

#include "base/text.h"
#include "bootstrap/deb/version.h"

namespace vprov::resolve {
namespace {

struct Source {
    std::string_view name, version;
};

// "Source: name (version)"; both default to those of the package (Debian Policy 5.6.1).
Source source_of(const deb::Package& package) {
    Source source{package.name, package.version};
    if (package.source.empty())
        return source;
    const auto open = package.source.find('(');
    source.name = trimmed(package.source.substr(0, open));
    if (open != std::string_view::npos)
        source.version = package.source.substr(open + 1, package.source.find(')', open) - open - 1);
    return source;
}

// Of several packages from one source those of its latest version.
void keep_latest(std::vector<const Version*>& versions) {
    const auto is_older = [](const Version* a, const Version* b) {
        return std::is_lt(deb::compare_versions(source_of(*a->package).version, source_of(*b->package).version));
    };
    const auto latest = source_of(*(*std::max_element(versions.begin(), versions.end(), is_older))->package).version;
    std::erase_if(versions, [&](const Version* version) { return source_of(*version->package).version != latest; });
}

bool is_marked(const Node& node) {
    return node.mode == Mode::install;
}

}  // namespace

void Sweep::follow(const Dependency& dependency) {
    const auto& target = *dependency.target;
    if (explored_.contains(&target))
        return;
    bool lacks = false;
    std::map<std::string_view, std::vector<const Version*>> by_source;
    const auto consider = [&](const Version& version, bool is_met) {
        if (is_met)
            by_source[source_of(*version.package).name].push_back(&version);
        else
            lacks = true;
    };
    if (target.node && is_marked(*target.node))
        consider(*target.node->install, deb::satisfies(target.node->install->package->version, dependency.relation));
    for (const auto& offer : target.offers)
        if (is_marked(*offer.provider->node) && offer.provider->node->install == offer.provider)
            consider(*offer.provider, satisfies(offer, dependency.relation));
    if (!lacks)
        explored_.insert(&target);
    for (auto& [source, versions] : by_source) {
        keep_latest(versions);
        for (const auto* version : versions) need(*version);
    }
}

void Sweep::need(const Version& version) {
    if (!needed_.insert(version.node).second)
        return;
    for (const auto group : graph_.groups(version))
        if (!is_negative(group.front().kind))
            for (const auto& dependency : group) follow(dependency);
}

bool Sweep::is_wanted(const Node& wanted) {
    std::unordered_set<const Target*> targets = {&graph_.target(wanted.name, wanted.architecture)};
    for (const auto* target : graph_.provided_targets(*wanted.candidate)) targets.insert(target);
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
        const auto& node = graph_.nodes()[i];
        if (!is_marked(node) || !node.candidate)
            continue;
        for (const auto group : graph_.groups(*node.candidate))
            for (const auto& dependency : group)
                if (!is_negative(dependency.kind) && marks_.matters(dependency) && targets.contains(dependency.target))
                    return true;
    }
    return false;
}

void Sweep::save_wanted(std::vector<Node*> unneeded) {
    for (bool saved = true; saved;) {
        saved = false;
        std::erase_if(unneeded, [&](Node* node) {
            if (!node->candidate || !is_wanted(*node))
                return false;
            marks_.install(*node, Follow::nothing, By::solver);
            return saved = true;
        });
    }
}

void Sweep::run() {
    auto& nodes = graph_.nodes();
    for (std::size_t i = 0; i < nodes.size(); ++i) {  // the count may grow on the way
        const auto& node = nodes[i];
        if (is_marked(node) && (!node.automatic || node.essential || node.important || node.is_protected))
            need(*node.install);
    }
    std::vector<Node*> unneeded;
    for (auto& node : nodes)
        if (is_marked(node) && !needed_.contains(&node))
            unneeded.push_back(&node);
    for (auto* node : unneeded) marks_.remove(*node);
    if (!unneeded.empty() && marks_.lacks_anything())
        save_wanted(std::move(unneeded));
}

}  // namespace vprov::resolve
