#include "bootstrap/resolve/search.h"

#include <algorithm>
#include <unordered_map>

#include "bootstrap/resolve/clauses.h"

namespace vprov::resolve {
namespace {

constexpr std::size_t kMostConflicts = 20000;  // some seconds

class Search {
  public:
    Search(Marks& marks, const Wishes& wishes, const std::unordered_set<const deb::Package*>& preferred,
           const std::unordered_set<std::string_view>& excluded, Offered offered)
        : marks_(marks), preferred_(preferred), excluded_(excluded), offered_(offered) {
        for (const auto* node : wishes.removals) removed_.insert(node);
        for (const auto& wish : wishes.installs) {
            std::vector<Version*> options = wish.version ? std::vector{wish.version} : options_of(*wish.node);
            clauses_.add_demand(variables_of(options));
        }
        for (std::size_t i = 0; i < versions_.size(); ++i) read_wants(*versions_[i]);  // the count grows on the way
        for (const auto& [version, other] : conflicts_)
            if (const auto found = variable_.find(other); found != variable_.end())
                clauses_.add({Literal::no(variable_.at(version)), Literal::no(found->second)});
        add_one_version_each();
    }

    std::optional<std::vector<Version*>> run() {
        if (!clauses_.solve(kMostConflicts))
            return std::nullopt;
        std::vector<Version*> chosen;
        for (auto* version : versions_)
            if (clauses_.holds(variable_.at(version)))
                chosen.push_back(version);
        return chosen;
    }

  private:
    bool may_be_taken(const Version& version) const {
        const auto& node = *version.node;
        return !excluded_.contains(node.name) && !removed_.contains(&node) &&
               (offered_ == Offered::every_version || node.candidate == &version);
    }

    std::vector<Version*> options_of(const Node& node) const {
        std::vector<Version*> options;
        for (auto* version : node.versions)
            if (may_be_taken(*version))
                options.push_back(version);
        std::stable_partition(options.begin(), options.end(),
                              [&](const Version* version) { return node.candidate == version; });
        return options;
    }

    std::vector<Version*> matches(const Dependency& dependency) const {
        std::vector<Version*> found;
        const auto& target = *dependency.target;
        if (target.node && !passes_over(dependency, *target.node))
            for (auto* version : target.node->versions)
                if (may_be_taken(*version) && deb::satisfies(version->package->version, dependency.relation))
                    found.push_back(version);
        for (const auto& offer : target.offers)
            if (!passes_over(dependency, offer) && may_be_taken(*offer.provider) &&
                satisfies(offer, dependency.relation))
                found.push_back(offer.provider);
        return found;
    }

    // Best first: what apt had marked, then the candidates in its order, then the rest.
    std::vector<Version*> options_of(Group group) {
        auto options = marks_.solutions(group);
        std::erase_if(options, [&](const Version* version) { return !may_be_taken(*version); });
        std::vector<Version*> others;
        for (const auto& dependency : group)
            for (auto* version : matches(dependency)) others.push_back(version);
        std::stable_sort(others.begin(), others.end(),
                         [&](const auto* a, const auto* b) { return priority_of(*a) > priority_of(*b); });
        options.insert(options.end(), others.begin(), others.end());
        std::vector<Version*> once;
        for (auto* version : options)
            if (std::find(once.begin(), once.end(), version) == once.end())
                once.push_back(version);
        std::stable_partition(once.begin(), once.end(),
                              [&](const Version* version) { return preferred_.contains(version->package); });
        return once;
    }

    int priority_of(const Version& version) const {
        return marks_.graph().index().releases()[version.package->release].priority();
    }

    std::uint32_t variable_of(Version* version) {
        const auto [entry, is_new] = variable_.try_emplace(version, 0);
        if (is_new) {
            entry->second = clauses_.new_variable();
            versions_.push_back(version);
        }
        return entry->second;
    }

    std::vector<std::uint32_t> variables_of(const std::vector<Version*>& versions) {
        std::vector<std::uint32_t> variables;
        for (auto* version : versions) variables.push_back(variable_of(version));
        return variables;
    }

    void read_wants(Version& version) {
        for (const auto group : marks_.graph().groups(version)) {
            const auto kind = group.front().kind;
            if (is_negative(kind))
                for (const auto* other : matches(group.front())) conflicts_.emplace_back(&version, other);
            else if (is_critical(kind))
                clauses_.add_demand(variable_.at(&version), variables_of(options_of(group)));
        }
    }

    void add_one_version_each() {
        std::unordered_map<const Node*, std::vector<std::uint32_t>> of_node;
        for (const auto* version : versions_) of_node[version->node].push_back(variable_.at(version));
        for (const auto& [node, variables] : of_node)
            for (std::size_t i = 0; i < variables.size(); ++i)
                for (std::size_t j = 0; j < i; ++j)
                    clauses_.add({Literal::no(variables[i]), Literal::no(variables[j])});
    }

    Marks& marks_;
    const std::unordered_set<const deb::Package*>& preferred_;
    const std::unordered_set<std::string_view>& excluded_;
    Offered offered_;
    std::unordered_set<const Node*> removed_;
    Clauses clauses_;
    std::vector<Version*> versions_;  // by variable
    std::unordered_map<const Version*, std::uint32_t> variable_;
    std::vector<std::pair<const Version*, const Version*>> conflicts_;
};

}  // namespace

std::optional<std::vector<Version*>> search(Marks& marks, const Wishes& wishes,
                                            const std::unordered_set<const deb::Package*>& preferred,
                                            const std::unordered_set<std::string_view>& excluded, Offered offered) {
    return Search(marks, wishes, preferred, excluded, offered).run();
}

}  // namespace vprov::resolve
