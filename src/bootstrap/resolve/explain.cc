#include "bootstrap/resolve/explain.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>

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

std::string group_text(Group group) {
    std::vector<std::string> texts;
    for (const auto& dependency : group) texts.push_back(deb::to_string(dependency.relation));
    return quote(joined(texts, " | "));
}

// The candidate, be it before it was given up.
Version* candidate(const Node& node) {
    return node.candidate ? node.candidate : node.discarded;
}

// What is marked for a dependency is wanted by it, and where nothing is, all that could be.
std::vector<const Version*> wanted_for(const Marks& marks, Group group) {
    std::vector<const Version*> wanted;
    const auto kind = group.front().kind;
    if (!is_critical(kind) || is_negative(kind))
        return wanted;
    const bool is_met = marks.is_met(group);
    const auto pick = [&](const Node& node) { return is_met ? node.install : candidate(node); };
    for (const auto& dependency : group)
        visit_matches(dependency, pick, [&](const Version& version) {
            wanted.push_back(&version);
            return false;
        });
    return wanted;
}

// Of each package that was asked for what is marked, or could be; the recipe's first.
std::deque<const Version*> asked_for(Graph& graph) {
    std::deque<const Version*> asked;
    for (const bool by_recipe : {true, false})
        for (const auto& node : graph.nodes())
            if (!node.asked_by.empty() && (node.asked_by == "the recipe") == by_recipe)
                if (const auto* version = node.install ? node.install : candidate(node))
                    asked.push_back(version);
    return asked;
}

// Who wants what, by the shortest way from something that was asked for: breadth first over what packages depend on.
class Wants {
  public:
    explicit Wants(Marks& marks) : marks_(marks) {}

    // "bar, wanted by the recipe" for foo, which bar wants; "the recipe" for what the recipe names.
    std::string wanter(const Node& node) {
        if (!node.asked_by.empty())
            return std::string(node.asked_by);
        const auto* by = wanted_by(node);
        return by ? chain(*by) : "nobody";
    }

    // "bar, wanted by the recipe" for bar.
    std::string chain(const Node& node) {
        std::string text;
        std::unordered_set<const Node*> seen;
        for (const auto* at = &node; at && seen.insert(at).second; at = wanted_by(*at)) {
            text += fmt::format("{}{}", text.empty() ? "" : ", wanted by ", at->full_name);
            if (!at->asked_by.empty())
                return text + fmt::format(", wanted by {}", at->asked_by);
        }
        return text;
    }

  private:
    // nullptr for nobody. What is on no way any more has who brought it in.
    const Node* wanted_by(const Node& node) {
        if (by_.empty())
            search();
        const auto found = by_.find(&node);
        return found == by_.end() ? node.wanted_by : found->second;
    }

    void search() {
        auto open = asked_for(marks_.graph());
        for (const auto* version : open) by_.emplace(version->node, nullptr);
        for (; !open.empty(); open.pop_front())
            for (const auto group : marks_.graph().groups(*open.front()))
                for (const auto* wanted : wanted_for(marks_, group))
                    if (by_.emplace(wanted->node, open.front()->node).second)
                        open.push_back(wanted);
    }

    Marks& marks_;
    std::unordered_map<const Node*, const Node*> by_;
};

class Explanation {
  public:
    Explanation(Marks& marks, const std::unordered_set<std::string_view>& excluded)
        : marks_(marks), graph_(marks.graph()), excluded_(excluded), wants_(marks) {}

    // What stands in the way of what was asked for: a conflict with what is to be installed, or a want that nothing
    // meets, its own or that of a package which it needs; the nearest there is. nullopt if nothing can be seen.
    std::optional<std::string> of_nearest() {
        auto open = asked_for(graph_);
        std::unordered_set<const Version*> seen(open.begin(), open.end());
        for (; !open.empty(); open.pop_front()) {
            if (auto text = of_itself(*open.front()))
                return text;
            for (const auto group : graph_.groups(*open.front()))
                for (const auto* wanted : wanted_for(marks_, group))
                    if (seen.insert(wanted).second)
                        open.push_back(wanted);
        }
        return std::nullopt;
    }

    // For want of a better reason: the first thing it lacks.
    std::string of_lack(const Version& version) {
        for (const auto group : graph_.groups(version))
            if (is_critical(group.front().kind) && !marks_.is_met(group))
                return fmt::format("cannot satisfy {}: what could meet it cannot be installed; wanted by {}",
                                   group_text(group), wants_.chain(*version.node));
        return fmt::format("internal error: {} is said to lack something", version.node->full_name);
    }

  private:
    std::optional<std::string> of_itself(const Version& version) {
        if (auto text = of_enemies(version))
            return text;
        const auto groups = graph_.groups(version);
        for (const auto group : groups)
            if (is_negative(group.front().kind) && !marks_.is_met(group))
                if (auto text = of_conflict(version, group.front()))
                    return text;
        for (const auto group : groups)
            if (is_unmet(group) && wanted_for(marks_, group).empty())
                return fmt::format("cannot satisfy {}: {}; wanted by {}", group_text(group), cause(group),
                                   wants_.chain(*version.node));
        return std::nullopt;
    }

    bool is_unmet(Group group) const {
        const auto kind = group.front().kind;
        return is_critical(kind) && !is_negative(kind) && !marks_.is_met(group);
    }

    std::optional<std::string> of_conflict(const Version& version, const Dependency& conflict) {
        std::optional<std::string> text;
        visit_matches(
            conflict, [](const Node& node) { return node.install; },
            [&](const Version& hit) {
                text = clash(version, conflict, hit);
                return true;
            });
        return text;
    }

    // Conflicts that speak of `version`, of packages that are to be installed.
    std::optional<std::string> of_enemies(const Version& version) {
        const auto pick = [&](const Node& node) { return &node == version.node ? &version : nullptr; };
        for (const auto* conflict : conflicts())
            if (conflict->owner->node != version.node && has_match(*conflict, pick))
                return clash(*conflict->owner, *conflict, version);
        return std::nullopt;
    }

    const std::vector<const Dependency*>& conflicts() {
        for (; collected_ < graph_.nodes().size(); ++collected_) {
            const auto& node = graph_.nodes()[collected_];
            if (!node.install)
                continue;
            for (const auto group : graph_.groups(*node.install))
                if (is_negative(group.front().kind))
                    conflicts_of_marked_.push_back(&group.front());
        }
        return conflicts_of_marked_;
    }

    std::string clash(const Version& version, const Dependency& conflict, const Version& hit) {
        // Between architectures it is the same from either side.
        const bool turned = conflict.is_implicit && hit.node->architecture < version.node->architecture;
        const auto& one = turned ? hit : version;
        const auto& other = turned ? version : hit;
        return fmt::format("cannot install {} together with {}: {}; {} is wanted by {}; {} is wanted by {}",
                           quote(one.node->full_name), quote(other.node->full_name), clash_text(one, conflict, other),
                           one.node->full_name, wants_.wanter(*one.node), other.node->full_name,
                           wants_.wanter(*other.node));
    }

    static std::string clash_text(const Version& version, const Dependency& conflict, const Version& hit) {
        if (conflict.is_implicit)
            return exclusion_text(version, hit);
        const auto by_provides =
            conflict.relation.name == hit.node->name ? "" : fmt::format(", which {} provides", hit.node->full_name);
        return fmt::format("{} {} {} {}{}", version.node->full_name, version.package->version, verb(conflict.kind),
                           deb::to_string(conflict.relation), by_provides);
    }

    std::string cause(Group group) {
        std::vector<std::string> causes;
        for (const auto& dependency : group) {
            auto text = cause(dependency);
            causes.push_back(group.size() == 1 ? text : fmt::format("{}: {}", dependency.relation.name, text));
        }
        return joined(causes, "; ");
    }

    std::string cause(const Dependency& dependency) {
        const auto& target = *dependency.target;
        if (excluded_.contains(target.name))
            return "it is excluded";
        std::vector<std::string> versions;
        const auto offer_version = [&](std::string_view version) {
            if (std::find(versions.begin(), versions.end(), version) == versions.end())
                versions.emplace_back(version);
        };
        if (target.node)
            for (const auto* version : target.node->versions) {
                if (deb::satisfies(version->package->version, dependency.relation))
                    return preferred(*target.node, *version);
                offer_version(version->package->version);
            }
        for (const auto& offer : target.offers) {
            if (excluded_.contains(offer.provider->node->name))
                return fmt::format("{}, which provides it, is excluded", offer.provider->node->full_name);
            offer_version(fmt::format("{} by {}", offer.version.empty() ? "no version" : offer.version,
                                      offer.provider->node->full_name));
        }
        if (versions.empty())
            return "no package of that name is available";
        return fmt::format("only {} is available", joined(versions, ", "));
    }

    std::string preferred(const Node& node, const Version& version) const {
        const auto* candidate = node.candidate ? node.candidate : node.discarded;
        if (!candidate || candidate == &version)
            return "it cannot be installed";
        const auto suite_of = [&](const Version& of) { return graph_.index().releases()[of.package->release].suite; };
        return fmt::format("{} from {} has precedence over {} from {}", candidate->package->version,
                           suite_of(*candidate), version.package->version, suite_of(version));
    }

    Marks& marks_;
    Graph& graph_;
    const std::unordered_set<std::string_view>& excluded_;
    Wants wants_;
    std::vector<const Dependency*> conflicts_of_marked_;
    std::size_t collected_ = 0;  // nodes that were looked at for them
};

}  // namespace

std::string exclusion_text(const Version& version, const Version& other) {
    if (version.package->multi_arch == "same" && other.package->multi_arch == "same")
        return fmt::format("{} {} and {} {} are not of one version", version.node->full_name, version.package->version,
                           other.node->full_name, other.package->version);
    return fmt::format("{} excludes other architectures: it is not Multi-Arch: same", version.node->name);
}

void throw_unknown(const Graph& graph, const Node& node) {
    std::vector<std::string_view> known;
    for (const auto& package : graph.index().packages()) known.push_back(package.name);
    const auto meant = nearest(node.name, known);
    throw error(ErrorKind::packages, "cannot find package {} in {}{}", quote(node.full_name), suites(graph.index()),
                meant.empty() || meant == node.name ? "" : fmt::format("; did you mean {}?", quote(meant)));
}

Node& wished_node(Graph& graph, Node& asked) {
    if (asked.candidate)
        return asked;
    std::vector<Node*> providers;  // of each name one
    const auto rank = [&](const Node& node) {
        return node.architecture == asked.architecture ? 0 : node.architecture + 1;
    };
    for (const auto& offer : graph.target(asked.name, asked.architecture).offers) {
        auto& provider = *offer.provider->node;
        if (provider.candidate != offer.provider)
            continue;
        const auto same = std::find_if(providers.begin(), providers.end(),
                                       [&](const Node* other) { return other->name == provider.name; });
        if (same == providers.end())
            providers.push_back(&provider);
        else if (rank(provider) < rank(**same))
            *same = &provider;
    }
    if (providers.size() == 1)
        return *providers.front();
    if (providers.empty())
        throw_unknown(graph, asked);
    std::set<std::string> names;
    for (const auto* provider : providers) names.insert(quote(provider->full_name));
    throw error(ErrorKind::packages, "cannot choose a package for {}: it is provided by {}; name one of them",
                quote(asked.full_name), fmt::join(names, ", "));
}

void throw_if_broken(Marks& marks, const std::unordered_set<std::string_view>& excluded) {
    auto& nodes = marks.graph().nodes();
    const Node* broken = nullptr;
    for (std::size_t i = 0; i < nodes.size(); ++i) {  // their count may grow on the way
        if (!marks.is_broken(nodes[i]))
            continue;
        if (!broken || (broken->asked_by.empty() && !nodes[i].asked_by.empty()))
            broken = &nodes[i];
    }
    if (!broken)
        return;
    Explanation explanation(marks, excluded);
    const auto text = explanation.of_nearest();
    throw Error(ErrorKind::packages, text ? *text : explanation.of_lack(*broken->install));
}

}  // namespace vprov::resolve
