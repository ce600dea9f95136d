#include "bootstrap/resolve/repair.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace vprov::resolve {
namespace {

constexpr unsigned kMaximalRounds = 20;

// apt's weights: pkgProblemResolver::Scores.
constexpr std::array kPriorityScores = {0, 3, 2, 1, -1, -2};
constexpr int kEssentialScore = 100;
constexpr int kWishBonus = 10000;
constexpr int kEssentialBonus = 5000;
int dependency_score(DependencyKind kind) {
    if (kind == DependencyKind::suggests)
        return 0;
    return is_negative(kind) ? -1 : 1;
}

bool matters_to_apt(const Node& node) {
    return node.essential || node.important;
}

// Every version there is, not the candidates only, in apt's order.
std::vector<Version*> all_targets(const Dependency& dependency) {
    std::vector<Version*> all;
    const auto& target = *dependency.target;
    if (target.node && !passes_over(dependency, *target.node))
        for (auto* version : target.node->versions)
            if (deb::satisfies(version->package->version, dependency.relation))
                all.push_back(version);
    for (auto offer = target.offers.rbegin(); offer != target.offers.rend(); ++offer)
        if (!passes_over(dependency, *offer) && satisfies(*offer, dependency.relation))
            all.push_back(offer->provider);
    return all;
}

// The package itself if there is one of that name, otherwise the last that provides it; nullptr for nobody.
Node* main_target(const Dependency& dependency) {
    const auto& target = *dependency.target;
    if (target.node && !target.node->versions.empty())
        return target.node;
    for (auto offer = target.offers.rbegin(); offer != target.offers.rend(); ++offer)
        if (offer->provider->node != dependency.owner->node)
            return offer->provider->node;
    return target.node;
}

}  // namespace

std::size_t Repair::count_broken() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i)  // the count may grow on the way
        if (marks_.is_broken(graph_.nodes()[i]))
            ++count;
    return count;
}

// Packages whose mark was taken back without apt noticing that they are still counted as installed.
void Repair::retry_unmarked() {
    for (bool again = true; again;) {
        again = false;
        for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
            auto& node = graph_.nodes()[i];
            if (node.mode == Mode::keep && marks_.is_broken(node)) {
                marks_.install(node, Follow::nothing, By::solver);
                again = again || node.mode == Mode::install;
            }
        }
    }
}

void Repair::score_wants(const Version& version) {
    for (const auto group : graph_.groups(version)) {
        for (const auto& dependency : group) {
            const auto score = dependency_score(dependency.kind);
            auto* node = dependency.target->node;
            if (score == 0 ||
                (node && !names_->contains(node->name, graph_.architectures().names()[node->architecture])))
                continue;
            const bool is_versioned = dependency.relation.op != deb::VersionOperator::none;
            if (!node || !passes_over(dependency, *node)) {
                const bool is_met =
                    node && node->install && deb::satisfies(node->install->package->version, dependency.relation);
                if (is_versioned && !is_met)
                    continue;
                if (node)
                    score_[node] += score;
                else
                    qualified_score_[dependency.target->full_name] += score;
            }
            std::unordered_set<const Node*> providers;
            for (const auto& offer : dependency.target->offers)
                if (offer.provider->node->install == offer.provider && !passes_over(dependency, offer) &&
                    satisfies(offer, dependency.relation) && providers.insert(offer.provider->node).second)
                    score_[offer.provider->node] += score;
        }
    }
}

// One level: a package inherits from those who depend on it, and passes what it got to those who provide it.
void Repair::score_inheritance() {
    const auto old = score_;
    const auto old_of = [&](const Node* node) {
        const auto found = old.find(node);
        return found == old.end() ? 0 : found->second;
    };
    for (const auto& node : graph_.nodes()) {
        if (!node.install || old_of(&node) <= 0)
            continue;
        for (const auto group : graph_.groups(*node.install))
            for (const auto& dependency : group)
                if (dependency_score(dependency.kind) > 0 && dependency.target->node &&
                    dependency.target->node->install)
                    score_[dependency.target->node] += old_of(&node);
    }
    for (const auto& entry : names_->entries()) {
        const auto* node = node_of(entry);
        if (!node)
            continue;
        const auto transfer = std::abs(score_[node] - old_of(node));
        if (transfer == 0)
            continue;
        std::unordered_set<const Node*> providers;
        for (const auto& offer : graph_.target(node->name, node->architecture).offers)
            if (!offer.is_implicit && offer.provider->node->install == offer.provider &&
                providers.insert(offer.provider->node).second)
                score_[offer.provider->node] += transfer;
    }
}

void Repair::score_all() {
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
        const auto& node = graph_.nodes()[i];
        if (!node.install)
            continue;
        score_[&node] += (matters_to_apt(node) ? kEssentialScore : 0) +
                         kPriorityScores[static_cast<std::size_t>(node.install->priority)];
        score_wants(*node.install);
    }
    score_inheritance();
    for (const auto& node : graph_.nodes()) {
        if (wishes_.contains(&node))
            score_[&node] += kWishBonus;
        if (matters_to_apt(node))
            score_[&node] += kEssentialBonus;
    }
}

// As apt's std::sort() leaves them: by falling score, with equals in an order that depends on all names that there are.
std::vector<NameEntry> Repair::ordered() {
    struct Scored {
        int score;
        const NameEntry* entry;
    };
    const auto& architectures = graph_.architectures();
    std::vector<std::unordered_set<std::string_view>> weighty(architectures.size());
    for (const auto& package : graph_.index().packages())
        if (package.essential || package.important)
            weighty[architectures.number_of(package.architecture).value_or(0)].insert(package.name);
    std::vector<Scored> order;
    order.reserve(names_->entries().size());
    for (const auto& entry : names_->entries()) {
        if (const auto* node = node_of(entry))
            order.push_back({score_[node], &entry});
        else if (const auto number = architectures.number_of(entry.architecture))
            order.push_back({weighty[*number].contains(entry.name) ? kEssentialBonus : 0, &entry});
        else
            order.push_back({qualified_score(entry), &entry});
    }
    std::sort(order.begin(), order.end(), [](const Scored& a, const Scored& b) { return a.score > b.score; });
    std::vector<NameEntry> entries;
    entries.reserve(order.size());
    for (const auto& scored : order) entries.push_back(*scored.entry);
    return entries;
}

int Repair::qualified_score(const NameEntry& entry) const {
    const auto found = qualified_score_.find(entry.name);
    return found == qualified_score_.end() ? 0 : found->second;
}

Node* Repair::node_of(const NameEntry& entry) {
    const auto number = graph_.architectures().number_of(entry.architecture);
    return number ? graph_.find(entry.name, *number) : nullptr;
}

void Repair::run() {
    if (count_broken() == 0)
        return;
    names_.emplace(graph_.index());
    retry_unmarked();
    score_all();
    const auto order = ordered();
    bool changed = true;
    for (unsigned round = 0; round < kMaximalRounds && changed; ++round) {
        changed = false;
        for (const auto& entry : order) {
            auto* node = node_of(entry);
            if (!node || !node->install || !marks_.is_broken(*node))
                continue;
            Case current{*node, round};
            mend(current);
            changed = changed || current.changed;
        }
    }
}

void Repair::mend(Case& current) {
    for (const auto group : graph_.groups(*current.node.install))
        if (is_critical(group.front().kind) && mend_group(current, group) == Next::stop)
            break;
    if (current.node.install)
        apply_kills(current);
}

Repair::Next Repair::mend_group(Case& current, Group group) {
    OrState state{group.size() > 1};
    const auto kills_before = current.kills.size();
    for (const auto& dependency : group) {
        if (marks_.is_met(group))
            return Next::group;
        if (mend_alternative(current, group, dependency, state) == Next::stop)
            return Next::stop;
    }
    if (!state.in_or || current.kills.size() != kills_before)
        return Next::group;
    if (state.end == OrEnd::keep) {
        marks_.keep(current.node);
        current.changed = true;
    } else if (!current.node.is_protected) {
        marks_.remove(current.node);
        current.changed = true;
    }
    return Next::group;
}

Repair::Next Repair::mend_alternative(Case& current, Group group, const Dependency& dependency, OrState& state) {
    const auto targets = all_targets(dependency);
    const bool negative = is_negative(dependency.kind);
    if (targets.empty() && !current.node.is_protected && !negative) {
        if (state.in_or)
            return Next::alternative;
        current.changed = true;
        marks_.keep(current.node);
        return Next::stop;
    }
    for (const auto* version : targets) {
        auto& other = *version->node;
        if (negative && other.install != version)
            continue;
        if (negative && score_[&current.node] > score_[&other]) {
            consider_kill(current, group.back(), other);
            continue;
        }
        if (current.node.is_protected) {
            if (!reinstate(other))
                continue;
            score_[&other] = std::min(score_[&other], score_[&current.node]);
            break;
        }
        mend_by_change_of_self(current, dependency, other, state);
        return state.in_or ? Next::alternative : Next::stop;
    }
    return Next::alternative;
}

bool Repair::mend_by_change_of_self(Case& current, const Dependency& dependency, Node& other, OrState& state) {
    const bool was_marked = current.node.mode == Mode::install;
    marks_.keep(current.node);
    if (!marks_.is_broken(current.node)) {
        state.end = OrEnd::keep;
        if (state.in_or && was_marked)
            marks_.install(current.node, Follow::nothing, By::solver);
    } else if (!reinstate(current.node)) {
        give_up_self(current, dependency, other, state);
    }
    return current.changed = true;
}

void Repair::give_up_self(Case& current, const Dependency& dependency, Node& other, const OrState& state) {
    if (!state.in_or) {
        marks_.remove(current.node);
        if (current.round > 1)
            score_[&current.node] = std::max(score_[&current.node], score_[&other]);
    } else if (dependency.target->node && dependency.target->node->candidate) {
        try_installing(*dependency.target->node);
    }
}

void Repair::try_installing(Node& node) {
    const auto broken_before = count_broken();
    marks_.install(node, Follow::dependencies, By::solver, 1);
    if (marks_.is_broken(node) || count_broken() > broken_before)
        marks_.remove(node);
}

void Repair::consider_kill(Case& current, const Dependency& conflict, Node& other) {
    const bool candidate_is_hit = has_match(conflict, [](const Node& node) { return node.candidate; });
    if (conflict.kind == DependencyKind::breaks && !candidate_is_hit)
        marks_.install(other, Follow::nothing, By::solver);
    else if (!other.is_protected)
        current.kills.push_back({&other, &conflict});
}

void Repair::apply_kills(Case& current) {
    for (const auto& kill : current.kills) {
        const bool kept = marks_.keep(*kill.node);
        auto& score = score_[kill.node];
        if ((!kept || current.round > 1) && score_[&current.node] > score) {
            score = score_[&current.node];
            current.changed = true;
        }
        current.changed = current.changed || kept;
    }
}

bool Repair::reinstate(Node& node) {
    if (tried_.contains(&node) || !node.candidate || wishes_.contains(&node))
        return false;
    tried_.insert(&node);
    const bool was_kept = node.mode == Mode::keep;
    if (!marks_.install(node, Follow::nothing, By::solver) || !node.install)
        return false;
    if (reinstate_wants(node))
        return true;
    if (was_kept)
        marks_.keep(node);
    else
        marks_.remove(node);
    return false;
}

bool Repair::reinstate_wants(Node& node) {
    const auto groups = graph_.groups(*node.install);
    return std::all_of(groups.begin(), groups.end(),
                       [&](Group group) { return !is_critical(group.front().kind) || reinstate_for(group); });
}

bool Repair::reinstate_for(Group group) {
    bool failed = false;
    for (const auto& dependency : group) {
        if (marks_.is_met(group))
            break;
        auto* node = main_target(dependency);
        const bool is_fixed = node && node->is_protected;
        const bool can_help = marks_.may_be_met(dependency) != is_negative(dependency.kind);
        if (!is_fixed && !can_help && is_negative(dependency.kind))
            break;  // left to the next round
        failed = is_fixed || !can_help || !node || !reinstate(*node);
        if (!failed)
            break;
    }
    return !failed;
}

}  // namespace vprov::resolve
