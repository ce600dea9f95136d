#include "bootstrap/resolve/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/package_wish.h"
#include "bootstrap/resolve/explain.h"
#include "bootstrap/resolve/graph.h"
#include "bootstrap/resolve/wishes.h"

namespace vprov::resolve {
namespace {

constexpr std::size_t kMostSteps = 12;

Version* installed(const Node& node) {
    return node.install;
}

std::string_view name_of(Variant variant) {
    switch (variant) {
        case Variant::essential:
            return "essential";
        case Variant::minbase:
            return "minbase";
        case Variant::buildd:
            return "buildd";
        case Variant::standard:
            break;
    }
    return "standard";
}

// How a package was reached: from whom, by which of its wishes.
struct Link {
    const Version* from = nullptr;
    Group group;
};

class Answer {
  public:
    Answer(Graph& graph, const Request& request, const PackageSet& set, const std::vector<std::string>& named)
        : graph_(graph), request_(request) {
        for (const auto& text : named) named_.insert(&asked_node(graph, deb::read_package_wish(text)));
        for (const auto& text : request.include) {
            const auto wish = deb::read_package_wish(text);
            (wish.removal ? removed_ : included_).insert(&asked_node(graph, wish));
        }
        for (const auto& selected : set.packages) mark(selected);
    }

    Why of(std::string_view name) {
        const auto& asked = asked_node(graph_, deb::read_package_wish(name));
        auto& target = graph_.target(asked.name, asked.architecture);
        if (target.node->install)
            return chain(*target.node->install);
        if (target.node->versions.empty())
            return of_virtual(target);
        return absence(*target.node);
    }

  private:
    void mark(const Selected& selected) {
        auto& node = graph_.node_of(*selected.package);
        for (auto* version : node.versions)
            if (version->package == selected.package)
                node.install = version;
        node.automatic = selected.automatic;
        members_.push_back(&node);
    }

    Why of_virtual(const Target& target) {
        std::vector<const Version*> providers;
        for (const auto& offer : target.offers)
            if (std::find(providers.begin(), providers.end(), offer.provider) == providers.end())
                providers.push_back(offer.provider);
        if (providers.empty())
            throw_unknown(graph_, *target.node);
        for (const auto* provider : providers)
            if (provider->node->install == provider) {
                auto answer = chain(*provider);
                answer.verdict = fmt::format("{} is a name that {} provides; {}", target.full_name,
                                             provider->node->full_name, answer.verdict);
                return answer;
            }
        std::vector<std::string> names;
        for (const auto* provider : providers) names.emplace_back(provider->node->full_name);
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        return {
            false,
            fmt::format("{} is not installed", target.full_name),
            {fmt::format("{} provide{} it: not installed either", joined(names, ", "), names.size() == 1 ? "s" : "")}};
    }

    // Who asked for the package itself.
    std::string origin(const Version& version) const {
        const auto name = version.node->full_name;
        if (named_.contains(version.node))
            return fmt::format("the recipe includes {}", name);
        if (included_.contains(version.node))
            return fmt::format("the guest that the recipe describes needs {}", name);
        if (version.node->essential && version.package->essential)
            return fmt::format("{} is essential", name);
        return fmt::format("the variant {} has {}", name_of(request_.variant), name);
    }

    bool counts(DependencyKind kind) const {
        return kind == DependencyKind::pre_depends || kind == DependencyKind::depends ||
               (kind == DependencyKind::recommends && request_.recommends);
    }

    // Those asked for: by the recipe first, so that of two chains of one length the recipe's is shown.
    std::deque<const Version*> roots() const {
        std::deque<const Version*> found;
        for (const bool by_recipe : {true, false})
            for (const auto* node : members_)
                if (!node->automatic && named_.contains(node) == by_recipe)
                    found.push_back(node->install);
        return found;
    }

    // Breadth first, so each package is reached by a shortest chain.
    std::unordered_map<const Version*, Link> reach() {
        auto queue = roots();
        std::unordered_map<const Version*, Link> links;
        for (const auto* root : queue) links.try_emplace(root);
        for (; !queue.empty(); queue.pop_front()) {
            const auto* from = queue.front();
            for (const auto group : graph_.groups(*from))
                for (const auto& dependency : group)
                    if (counts(dependency.kind))
                        visit_matches(dependency, installed, [&](const Version& to) {
                            if (links.try_emplace(&to, Link{from, group}).second)
                                queue.push_back(&to);
                            return false;
                        });
        }
        return links;
    }

    static std::string wish_text(const Version& from, Group group, const Version& to) {
        if (group.front().is_implicit)
            return exclusion_text(from, to);
        std::vector<std::string> texts;
        for (const auto& dependency : group) texts.push_back(deb::to_string(dependency.relation));
        const bool is_named = std::any_of(group.begin(), group.end(), [&](const Dependency& dependency) {
            return dependency.relation.name == to.node->name;
        });
        return fmt::format("{} {} {}{}", from.node->full_name, verb(group.front().kind), joined(texts, " | "),
                           is_named ? "" : fmt::format(", which {} provides", to.node->full_name));
    }

    std::vector<std::string> steps_to(const Version& version) {
        if (links_.empty())
            links_ = reach();
        std::vector<std::string> steps;
        const auto* at = &version;
        for (auto found = links_.find(at); found != links_.end() && found->second.from; found = links_.find(at)) {
            steps.push_back(wish_text(*found->second.from, found->second.group, *at));
            at = found->second.from;
        }
        steps.push_back(links_.contains(at) ? origin(*at)
                                            : fmt::format("{} was chosen on the way", at->node->full_name));
        std::reverse(steps.begin(), steps.end());
        return steps;
    }

    Why chain(const Version& version) {
        return {true, fmt::format("{} {} is installed", version.node->full_name, version.package->version),
                steps_to(version)};
    }

    // What stands against the candidate, and who would have it.
    Why absence(const Node& node) {
        Why answer{false, fmt::format("{} is not installed", node.full_name), {}};
        if (std::find(request_.exclude.begin(), request_.exclude.end(), node.name) != request_.exclude.end())
            answer.steps.push_back(fmt::format("the recipe excludes {}", node.name));
        if (removed_.contains(&node))
            answer.steps.push_back(fmt::format("the recipe includes '{}-', which keeps it out", node.full_name));
        const auto& version = node.candidate ? *node.candidate : *node.versions.front();
        add_conflicts(version, answer.steps);
        add_wishes(version, answer.steps);
        if (answer.steps.empty())
            answer.steps.push_back(fmt::format("nothing that is installed wants {}", node.full_name));
        if (answer.steps.size() > kMostSteps)
            answer.steps.resize(kMostSteps);
        return answer;
    }

    void add_conflicts(const Version& version, std::vector<std::string>& steps) {
        const auto pick = [&](const Node& node) { return &node == version.node ? &version : nullptr; };
        for (const auto* member : members_)
            for (const auto group : graph_.groups(*member->install))
                if (is_negative(group.front().kind) && has_match(group.front(), pick)) {
                    steps.push_back(wish_text(*member->install, group, version));
                    add_indented(steps_to(*member->install), steps);
                }
        for (const auto group : graph_.groups(version))
            if (is_negative(group.front().kind) && !group.front().is_implicit)  // that is the other's as well
                visit_matches(group.front(), installed, [&](const Version& hit) {
                    steps.push_back(wish_text(version, group, hit));
                    add_indented(steps_to(hit), steps);
                    return false;
                });
    }

    static void add_indented(const std::vector<std::string>& more, std::vector<std::string>& steps) {
        for (const auto& step : more) steps.push_back("  " + step);
    }

    void add_wishes(const Version& version, std::vector<std::string>& steps) {
        const auto pick = [&](const Node& node) { return &node == version.node ? &version : nullptr; };
        for (const auto kind : {DependencyKind::pre_depends, DependencyKind::depends, DependencyKind::recommends,
                                DependencyKind::suggests})
            for (const auto* member : members_)
                for (const auto group : graph_.groups(*member->install))
                    if (group.front().kind == kind &&
                        std::any_of(group.begin(), group.end(), [&](const auto& d) { return has_match(d, pick); }))
                        steps.push_back(wish_text(*member->install, group, version) + unheard(group));
    }

    // Why a wish for the package did not bring it in.
    std::string unheard(Group group) const {
        std::optional<std::string_view> met_by;
        for (const auto& dependency : group)
            visit_matches(dependency, installed, [&](const Version& other) {
                met_by = met_by ? met_by : other.node->full_name;
                return true;
            });
        if (met_by)
            return fmt::format(": {} is installed for it", *met_by);
        if (group.front().kind == DependencyKind::recommends && !request_.recommends)
            return ": recommended packages are not asked for";
        return group.front().kind == DependencyKind::recommends ? ": it could not be had" : "";
    }

    Graph& graph_;
    const Request& request_;
    std::unordered_set<const Node*> named_, included_, removed_;
    std::vector<const Node*> members_;  // of the set, by name
    std::unordered_map<const Version*, Link> links_;
};

}  // namespace

Why why(const deb::PackageIndex& index, const Request& request, const PackageSet& set,
        const std::vector<std::string>& named, std::string_view name) {
    const std::unordered_set<std::string_view> excluded;
    Graph graph(index, excluded);
    return Answer(graph, request, set, named).of(name);
}

}  // namespace vprov::resolve
