#include "bootstrap/resolve/graph.h"

#include <algorithm>
#include <array>
#include <compare>

#include "base/error.h"
#include "base/text.h"
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

bool is_same(const deb::Package& package) {
    return package.multi_arch == "same" && package.architecture != "all";  // apt: "all" cannot be
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

bool passes_over(const Dependency& dependency, const Node& node) {
    if (!is_negative(dependency.kind))
        return false;
    const auto& owner = *dependency.owner->node;
    if (owner.name != node.name)
        return false;
    return &owner == &node || (!dependency.is_implicit && is_same(*dependency.owner->package));
}

bool passes_over(const Dependency& dependency, const Offer& offer) {
    return is_negative(dependency.kind) &&
           (dependency.is_implicit || offer.provider->node->name == dependency.owner->node->name);
}

Graph::Graph(const deb::PackageIndex& index, const std::unordered_set<std::string_view>& excluded)
    : index_(index),
      excluded_(excluded),
      nodes_of_name_(index.architectures().size()),
      targets_of_name_(index.architectures().size()),
      exact_targets_of_name_(index.architectures().size()) {}

std::size_t Graph::architecture_of(const deb::Package& package) const {
    return architectures().number_of(package.architecture).value_or(0);  // the index has no others
}

Version& Graph::version(const deb::Package& package, Node& node) {
    return versions_.emplace_back(Version{&package, &node, priority_rank(package.priority)});
}

Node& Graph::node(std::string_view name, std::size_t architecture) {
    const auto [entry, is_new] = nodes_of_name_[architecture].try_emplace(name, nullptr);
    if (!is_new)
        return *entry->second;
    auto& made = nodes_.emplace_back();
    entry->second = &made;
    made.name = made.full_name = name;
    made.architecture = architecture;
    if (architecture != 0)
        made.full_name = keep(architectures().full_name(name, architectures().names()[architecture]));
    made.essential = made.important = name == "apt";  // apt never takes itself away
    for (const auto* package : index_.versions_of(name)) {
        if (architecture_of(*package) != architecture)
            continue;
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

Node& Graph::node_of(const deb::Package& package) {
    return node(package.name, architecture_of(package));
}

Node* Graph::find(std::string_view name, std::size_t architecture) const {
    const auto found = nodes_of_name_[architecture].find(name);
    return found == nodes_of_name_[architecture].end() ? nullptr : found->second;
}

Version& Graph::version_of(const deb::Package& package) {
    const auto& versions = node_of(package).versions;
    return **std::find_if(versions.begin(), versions.end(),
                          [&](const Version* version) { return version->package == &package; });
}

std::vector<deb::Relation> Graph::relations(const Version& version, std::string_view field) const {
    try {
        return deb::read_relations(field);
    } catch (const Error& e) {
        throw error(ErrorKind::packages, "cannot use package {} {}: {}", version.node->full_name,
                    version.package->version, e.message());
    }
}

// Whether `provided`, of a name that the target has, is an offer for it.
bool Graph::counts(const deb::Relation& provided, const deb::Package& provider, Qualifier qualifier) const {
    const auto of_provider = architecture_of(provider);
    if (qualifier.is_any)
        return provided.architecture == "any" || (provided.architecture.empty() && provider.multi_arch == "allowed");
    if (!provided.architecture.empty())
        return architectures().number_of(provided.architecture) == qualifier.architecture;
    if (of_provider == qualifier.architecture)
        return true;
    return provider.multi_arch == "foreign" && !qualifier.is_exact;
}

void Graph::add_offers(Target& target, const deb::Package& provider, Qualifier qualifier) {
    auto& offering = version_of(provider);
    for (const auto& relation : relations(offering, provider.provides)) {
        if (relation.name != target.name ||
            (relation.op != deb::VersionOperator::none && relation.op != deb::VersionOperator::equal))
            continue;
        const bool of_itself =
            offering.node == target.node && (relation.version.empty() || relation.version == provider.version);
        if (!of_itself && counts(relation, provider, qualifier))
            target.offers.push_back({&offering, relation.version});
    }
}

// What is Multi-Arch: foreign stands in for the same of every other architecture.
void Graph::add_implicit_offers(Target& target) {
    for (std::size_t other = 0; other < architectures().size(); ++other) {
        if (other == target.node->architecture)
            continue;
        for (auto* version : node(target.name, other).versions)
            if (version->package->multi_arch == "foreign")
                target.offers.push_back({version, version->package->version, true});
    }
}

Target& Graph::target(std::string_view name, std::size_t architecture) {
    const auto [entry, is_new] = targets_of_name_[architecture].try_emplace(name, nullptr);
    if (!is_new)
        return *entry->second;
    auto& made = targets_.emplace_back();
    entry->second = &made;
    made.name = name;
    made.node = &node(name, architecture);
    made.full_name = made.node->full_name;
    for (const auto* provider : index_.providers_of(name)) add_offers(made, *provider, {false, false, architecture});
    add_implicit_offers(made);
    return made;
}

Target& Graph::any_target(std::string_view name) {
    const auto [entry, is_new] = any_target_of_name_.try_emplace(name, nullptr);
    if (!is_new)
        return *entry->second;
    auto& made = targets_.emplace_back();
    entry->second = &made;
    made.name = name;
    made.full_name = keep(fmt::format("{}:any", name));
    for (std::size_t i = 0; i < architectures().size(); ++i)
        for (auto* version : node(name, i).versions)
            if (version->package->multi_arch == "allowed")
                made.offers.push_back({version, version->package->version});
    for (const auto* provider : index_.providers_of(name)) add_offers(made, *provider, {true, false, 0});
    return made;
}

Target& Graph::exact_target(std::string_view name, std::string_view architecture) {
    const auto number = architectures().number_of(architecture == "native" ? "all" : architecture);
    if (!number) {  // what that package would have to meet nothing here can
        auto& nothing = nothing_[fmt::format("{}:{}", name, architecture)];
        nothing.name = name;
        nothing.full_name = keep(fmt::format("{}:{}", name, architecture));
        return nothing;
    }
    const auto [entry, is_new] = exact_targets_of_name_[*number].try_emplace(name, nullptr);
    if (!is_new)
        return *entry->second;
    auto& made = targets_.emplace_back();
    entry->second = &made;
    made.name = name;
    made.full_name = keep(fmt::format("{}:{}", name, architectures().names()[*number]));
    for (auto* version : node(name, *number).versions) made.offers.push_back({version, version->package->version});
    for (const auto* provider : index_.providers_of(name)) add_offers(made, *provider, {false, true, *number});
    return made;
}

// A conflict that names no architecture speaks of all of them.
void Graph::read_field(DependencyKind kind, const Version& version, std::string_view field, Parsed& parsed) {
    const auto own = version.node->architecture;
    for (const auto& relation : relations(version, field)) {
        const auto add = [&](Target& target) { parsed.dependencies.push_back({kind, relation, &version, &target}); };
        if (relation.architecture == "any")
            add(any_target(relation.name));
        else if (!relation.architecture.empty())
            add(exact_target(relation.name, relation.architecture));
        else if (!is_negative(kind))
            add(target(relation.name, own));
        else
            for (std::size_t i = 0; i < architectures().size(); ++i) add(target(relation.name, i));
    }
}

// Several architectures of a package together only of one version and if it is Multi-Arch: same.
void Graph::add_implicit_conflicts(const Version& version, Parsed& parsed) {
    const auto& self = *version.node;
    for (std::size_t other = 0; other < architectures().size(); ++other) {
        if (other == self.architecture || node(self.name, other).versions.empty())
            continue;
        Dependency dependency{DependencyKind::conflicts, {}, &version, &target(self.name, other), true};
        dependency.relation.name = self.name;
        dependency.relation.architecture = architectures().names()[other];
        if (is_same(*version.package)) {
            dependency.kind = DependencyKind::breaks;
            dependency.relation.op = deb::VersionOperator::not_equal;
            dependency.relation.version = version.package->version;
        }
        parsed.dependencies.push_back(dependency);
    }
}

std::span<const Group> Graph::groups(const Version& version) {
    auto& parsed = parsed_[&version];
    if (parsed.done)
        return parsed.groups;
    parsed.done = true;
    for (const auto& field : kDependencyFields) read_field(field.kind, version, version.package->*field.member, parsed);
    add_implicit_conflicts(version, parsed);
    for (std::size_t start = 0, end = 0; start < parsed.dependencies.size(); start = end) {
        for (end = start + 1; parsed.dependencies[end - 1].relation.or_next; ++end) {
        }
        parsed.groups.push_back(Group(parsed.dependencies).subspan(start, end - start));
    }
    return parsed.groups;
}

std::vector<Target*> Graph::provided_targets(const Version& version) {
    std::vector<Target*> targets;
    const auto& package = *version.package;
    const auto add_all = [&](std::string_view name, std::size_t own) {
        for (std::size_t i = 0; i < architectures().size(); ++i)
            if (i == own || package.multi_arch == "foreign")
                targets.push_back(&target(name, i));
    };
    const auto own = version.node->architecture;
    const bool is_allowed = package.multi_arch == "allowed";
    if (is_allowed)
        targets.push_back(&any_target(package.name));
    if (architectures().size() > 1 && package.multi_arch == "foreign")
        add_all(package.name, own);
    const auto add_exact = [&](std::string_view name, std::size_t architecture) {
        if (const auto found = exact_targets_of_name_[architecture].find(name);
            found != exact_targets_of_name_[architecture].end())
            targets.push_back(found->second);
    };
    add_exact(package.name, own);
    for (const auto& relation : relations(version, package.provides)) {
        const auto named = relation.architecture.empty() ? own : architectures().number_of(relation.architecture);
        if (relation.architecture.empty())
            add_all(relation.name, own);
        else if (named)
            targets.push_back(&target(relation.name, *named));
        if (named)
            add_exact(relation.name, *named);
        if (relation.architecture == "any" || (relation.architecture.empty() && is_allowed))
            targets.push_back(&any_target(relation.name));
    }
    return targets;
}

}  // namespace vprov::resolve
