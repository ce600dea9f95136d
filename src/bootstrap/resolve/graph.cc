#include "bootstrap/resolve/graph.h"

#include <algorithm>
#include <array>
#include <compare>

#include "base/error.h"
#include "bootstrap/deb/version.h"

namespace vprov::resolve {
namespace {

int priority_rank(std::string_view priority) {
    constexpr std::array<std::string_view, 4> kNames = {"required", "important", "standard", "optional"};
    if (priority.empty())
        return 0;
    const auto found = std::find(kNames.begin(), kNames.end(), priority);
    return static_cast<int>(found - kNames.begin()) + 1;
}

// As apt: the highest priority of the releases, and of equal ones the first in the list.
Version* candidate_of(const Node& node, std::span<const deb::Release> releases) {
    Version* best = nullptr;
    int best_priority = 0;
    for (auto* version : node.versions) {
        const auto priority = releases[version->package->release].priority();
        if (priority > best_priority) {
            best = version;
            best_priority = priority;
        }
    }
    return best;
}

struct DependencyField {
    DependencyKind kind;
    std::string_view deb::Package::*member;
};

constexpr std::array kDependencyFields = {
    DependencyField{DependencyKind::pre_depends, &deb::Package::pre_depends},
    DependencyField{DependencyKind::depends, &deb::Package::depends},
    DependencyField{DependencyKind::conflicts, &deb::Package::conflicts},
    DependencyField{DependencyKind::breaks, &deb::Package::breaks},
    DependencyField{DependencyKind::recommends, &deb::Package::recommends},
    DependencyField{DependencyKind::suggests, &deb::Package::suggests},
};

}  // namespace

std::string_view verb(DependencyKind kind) {
    switch (kind) {
        case DependencyKind::pre_depends:
        case DependencyKind::depends:
            return "depends on";
        case DependencyKind::conflicts:
            return "conflicts with";
        case DependencyKind::breaks:
            return "breaks";
        case DependencyKind::recommends:
            return "recommends";
        case DependencyKind::suggests:
            return "suggests";
    }
    return "";
}

bool satisfies(const Offer& offer, const deb::Relation& relation) {
    if (relation.op == deb::VersionOperator::none)
        return true;
    return !offer.version.empty() && deb::satisfies(offer.version, relation);
}

Graph::Graph(const deb::PackageIndex& index, const std::unordered_set<std::string_view>& excluded)
    : index_(index), excluded_(excluded) {}

Version& Graph::version(const deb::Package& package, Node& node) {
    return versions_.emplace_back(Version{&package, &node, priority_rank(package.priority)});
}

Node& Graph::node(std::string_view name) {
    const auto [entry, is_new] = node_of_name_.try_emplace(name, nullptr);
    if (!is_new)
        return *entry->second;
    auto& made = nodes_.emplace_back();
    entry->second = &made;
    made.name = name;
    made.essential = made.important = name == "apt";  // apt never takes itself away
    for (const auto* package : index_.versions_of(name)) {
        made.versions.push_back(&version(*package, made));
        made.essential = made.essential || package->essential;
        made.important = made.important || package->important;
    }
    std::stable_sort(made.versions.begin(), made.versions.end(), [](const Version* a, const Version* b) {
        return std::is_gt(deb::compare_versions(a->package->version, b->package->version));
    });
    if (!excluded_.contains(name))
        made.candidate = candidate_of(made, index_.releases());
    return made;
}

Node* Graph::find(std::string_view name) const {
    const auto found = node_of_name_.find(name);
    return found == node_of_name_.end() ? nullptr : found->second;
}

std::vector<deb::Relation> Graph::relations(const Version& version, std::string_view field) const {
    try {
        return deb::read_relations(field);
    } catch (const Error& e) {
        throw error(ErrorKind::packages, "cannot use package {} {}: {}", version.package->name,
                    version.package->version, e.message());
    }
}

void Graph::add_offers(Target& target, const deb::Package& provider, bool any) {
    auto& provider_node = node(provider.name);
    const auto found = std::find_if(provider_node.versions.begin(), provider_node.versions.end(),
                                    [&](const Version* version) { return version->package == &provider; });
    auto& offering = **found;
    for (const auto& relation : relations(offering, provider.provides)) {
        if (relation.name != target.name ||
            (relation.op != deb::VersionOperator::none && relation.op != deb::VersionOperator::equal))
            continue;
        const bool of_itself =
            provider.name == target.name && (relation.version.empty() || relation.version == provider.version);
        const bool counts =
            any ? relation.architecture == "any" || (relation.architecture.empty() && provider.multi_arch == "allowed")
                : !of_itself && (relation.architecture.empty() || relation.architecture == index_.architecture());
        if (counts)
            target.offers.push_back({&offering, relation.version});
    }
}

Target& Graph::target(std::string_view name) {
    const auto [entry, is_new] = target_of_name_.try_emplace(name, nullptr);
    if (!is_new)
        return *entry->second;
    auto& made = targets_.emplace_back();
    entry->second = &made;
    made.name = name;
    made.node = &node(name);
    for (const auto* provider : index_.providers_of(name)) add_offers(made, *provider, false);
    return made;
}

Target& Graph::any_target(std::string_view name) {
    const auto [entry, is_new] = any_target_of_name_.try_emplace(name, nullptr);
    if (!is_new)
        return *entry->second;
    auto& made = targets_.emplace_back();
    entry->second = &made;
    made.name = name;
    for (auto* version : node(name).versions)
        if (version->package->multi_arch == "allowed")
            made.offers.push_back({version, version->package->version});
    for (const auto* provider : index_.providers_of(name)) add_offers(made, *provider, true);
    return made;
}

std::span<const Group> Graph::groups(const Version& version) {
    auto& parsed = parsed_[&version];
    if (parsed.done)
        return parsed.groups;
    parsed.done = true;
    for (const auto& field : kDependencyFields) {
        for (const auto& relation : relations(version, version.package->*field.member)) {
            const bool any = relation.architecture == "any";
            const bool foreign = !relation.architecture.empty() && !any && relation.architecture != "native" &&
                                 relation.architecture != index_.architecture();
            // What another architecture's package would have to meet nothing here can.
            auto& aim = foreign ? targets_.emplace_back(Target{relation.name, nullptr, {}, 0})
                        : any   ? any_target(relation.name)
                                : target(relation.name);
            parsed.dependencies.push_back({field.kind, relation, &version, &aim});
        }
    }
    for (std::size_t start = 0, end = 0; start < parsed.dependencies.size(); start = end) {
        for (end = start + 1; parsed.dependencies[end - 1].relation.or_next; ++end) {
        }
        parsed.groups.push_back(Group(parsed.dependencies).subspan(start, end - start));
    }
    return parsed.groups;
}

std::vector<Target*> Graph::provided_targets(const Version& version) {
    std::vector<Target*> targets;
    const auto allowed = version.package->multi_arch == "allowed";
    if (allowed)
        targets.push_back(&any_target(version.package->name));
    for (const auto& relation : relations(version, version.package->provides)) {
        if (relation.architecture != "any")
            targets.push_back(&target(relation.name));
        if (relation.architecture == "any" || allowed)
            targets.push_back(&any_target(relation.name));
    }
    return targets;
}

}  // namespace vprov::resolve
