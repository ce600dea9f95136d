#include "bootstrap/resolve/marks.h"

#include <algorithm>

namespace vprov::resolve {
namespace {

constexpr unsigned kMaximalDepth = 3000;  // apt's

Version* marked(const Node& node) {
    return node.install;
}
Version* candidate(const Node& node) {
    return node.candidate;
}

// Protects a node for a while, and afterwards takes the protection back even if somebody else gave it again: as apt.
class ScopedProtection {
  public:
    explicit ScopedProtection(Node& node) : node_(node), was_(node.is_protected) { node.is_protected = true; }
    ~ScopedProtection() {
        if (!was_)
            node_.is_protected = false;
    }
    ScopedProtection(const ScopedProtection&) = delete;
    ScopedProtection& operator=(const ScopedProtection&) = delete;

  private:
    Node& node_;
    bool was_;
};

}  // namespace

// What a version wants that is worth an action: dependencies to install for, conflicts to remove for.
struct Marks::Wants {
    std::vector<Group> dependencies, conflicts;
};

bool Marks::matters(const Dependency& dependency) const {
    return is_critical(dependency.kind) ||
           (dependency.kind == DependencyKind::recommends && recommends_ == Recommends::followed);
}

bool Marks::is_met(Group group) const {
    const bool any = std::any_of(group.begin(), group.end(),
                                 [](const Dependency& dependency) { return has_match(dependency, marked); });
    return is_negative(group.front().kind) ? !any : any;
}

bool Marks::may_be_met(const Dependency& dependency) const {
    const auto refreshed = dependency.target->refreshed;
    return has_match(dependency, [&](const Node& node) {
        return node.candidate || node.discarded_at <= refreshed ? node.candidate : node.discarded;
    });
}

bool Marks::lacks_something(const Node& node, Need need) {
    if (!node.install)
        return false;
    for (const auto group : graph_.groups(*node.install))
        if ((need == Need::critical ? is_critical(group.front().kind) : matters(group.front())) && !is_met(group))
            return true;
    return false;
}

bool Marks::is_broken(const Node& node) {
    return lacks_something(node, Need::critical);
}

bool Marks::lacks_anything() {
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i)  // the count may grow on the way
        if (lacks_something(graph_.nodes()[i], Need::all))
            return true;
    return false;
}

// Those who depend on the package, or on what it provides, see it anew.
void Marks::refresh(Node& node) {
    ++clock_;
    graph_.target(node.name, node.architecture).refreshed = clock_;
    if (node.candidate)
        for (auto* target : graph_.provided_targets(*node.candidate)) target->refreshed = clock_;
}

void Marks::mark(Node& node, By by, const Node* wanted_by) {
    if (node.is_protected && node.install == node.candidate)
        return;
    node.mode = Mode::install;
    node.install = node.candidate;
    node.automatic = by == By::solver;
    if (!node.wanted_by)
        node.wanted_by = wanted_by;
    refresh(node);
}

void Marks::unmark(Node& node) {
    node.mode = Mode::keep;
    node.install = nullptr;
    refresh(node);
}

void Marks::discard(Node& node) {
    if (node.candidate && !node.install) {
        node.discarded = node.candidate;
        node.discarded_at = ++clock_;
    }
    node.candidate = node.install;
}

void Marks::set_candidate(Version& version) {
    auto& node = *version.node;
    if (node.candidate == &version)
        return;
    if (node.install && node.install == node.candidate)
        node.install = &version;
    node.candidate = &version;
    refresh(node);
}

bool Marks::keep(Node& node) {
    if (node.mode == Mode::keep)
        return true;
    if (node.is_protected || node.versions.empty())
        return false;
    unmark(node);
    return true;
}

bool Marks::remove(Node& node) {
    if (node.is_protected || node.essential || node.important || node.versions.empty())
        return false;
    if (!node.install)
        return true;
    if (!node.automatic)
        return false;
    unmark(node);
    return true;
}

bool Marks::prefers(const Version& a, const Version& b, const Dependency& dependency) {
    const auto& node_a = *a.node;
    const auto& node_b = *b.node;
    if (node_a.is_protected != node_b.is_protected)
        return node_a.is_protected;
    if (node_a.name != node_b.name && dependency.relation.architecture.empty()) {
        if (node_a.name == dependency.relation.name)
            return true;
        if (node_b.name == dependency.relation.name)
            return false;
    }
    if (node_a.essential != node_b.essential)
        return node_a.essential;
    if (node_a.important != node_b.important)
        return node_a.important;
    if (node_a.architecture != node_b.architecture)
        return node_a.architecture < node_b.architecture;
    if (a.priority != b.priority)
        return a.priority < b.priority;
    // The younger one; there is no reason to it, but it must be the same one.
    return &node_a != &node_b && order_.is_before(node_b.name, node_a.name, node_a.architecture);
}

void Marks::drop_unwanted(std::vector<Version*>& versions) const {
    std::erase_if(versions, [](const Version* version) {
        return version->node->is_protected && version->node->mode == Mode::keep;
    });
}

std::vector<Version*> Marks::solutions(Group group) {
    std::vector<Version*> all;
    for (const auto& dependency : group) {
        std::vector<Version*> found;
        visit_matches(dependency, candidate, [&](Version& version) {
            found.push_back(&version);
            return false;
        });
        std::sort(found.begin(), found.end(),
                  [&](const Version* a, const Version* b) { return prefers(*a, *b, dependency); });
        all.insert(all.end(), found.begin(), found.end());
    }
    all.erase(std::unique(all.begin(), all.end()), all.end());
    if (!is_negative(group.front().kind))
        drop_unwanted(all);
    return all;
}

// Whether each critical dependency could be met at all. If not, the candidate is given up.
bool Marks::may_be_installed(Node& node) {
    for (const auto group : graph_.groups(*node.candidate)) {
        const auto kind = group.front().kind;
        if (!is_critical(kind) || is_negative(kind))
            continue;
        if (is_met(group) ||
            std::any_of(group.begin(), group.end(), [&](const Dependency& d) { return may_be_met(d); }))
            continue;
        if (!node.is_protected) {
            node.discarded = node.candidate;
            node.discarded_at = ++clock_;
            node.candidate = nullptr;
            node.mode = Mode::keep;
        }
        return false;
    }
    return true;
}

Marks::Wants Marks::wants_of(Version& version, bool is_protected) {
    Wants wants;
    for (const auto group : graph_.groups(version)) {
        if ((is_met(group) && !is_protected) || !matters(group.front()))
            continue;
        (is_negative(group.front().kind) ? wants.conflicts : wants.dependencies).push_back(group);
    }
    return wants;
}

bool Marks::clear_conflict(Group conflict, bool is_protected, By by) {
    bool cleared = true;
    for (auto* version : solutions(conflict)) {
        auto& node = *version->node;
        if (node.candidate != version)
            continue;
        if (node.mode == Mode::install && !keep(node)) {
            cleared = false;
            if (!is_protected && by == By::solver)
                return false;
        } else if (is_protected) {
            discard(node);
            node.is_protected = true;
        }
    }
    return cleared;
}

bool Marks::clear_conflicts(const std::vector<Group>& conflicts, bool is_protected, By by) {
    bool cleared = true;
    for (const auto conflict : conflicts) {
        cleared = clear_conflict(conflict, is_protected, by) && cleared;
        if (!cleared && !is_protected && by == By::solver)
            return false;
    }
    return cleared;
}

// A dependency that is met already, but by something that the user's wish could not do without: that is protected too.
bool Marks::protect_only_solution(Node& node, Group group, unsigned depth) {
    if (!is_critical(group.front().kind))
        return true;
    std::vector<Version*> found;
    for (const auto& dependency : group)
        visit_matches(dependency, candidate, [&](Version& version) {
            if (std::find(found.begin(), found.end(), &version) == found.end())
                found.push_back(&version);
            return false;
        });
    drop_unwanted(found);
    if (found.size() != 1 || found.front()->node->is_protected)
        return true;
    auto& only = *found.front()->node;
    only.is_protected = true;
    return install(only, Follow::dependencies, By::solver, depth + 1, &node);
}

bool Marks::install_one_of(Node& node, Group group, bool is_protected, unsigned depth) {
    const auto critical = is_critical(group.front().kind);
    const auto possible = solutions(group);
    for (auto* version : possible) {
        auto& chosen = *version->node;
        if (chosen.candidate != version)
            continue;
        if (is_protected && critical && possible.size() == 1) {
            if (!install(chosen, Follow::nothing, By::solver, depth + 1, &node))
                continue;
            chosen.is_protected = true;
        }
        if (install(chosen, Follow::dependencies, By::solver, depth + 1, &node))
            return true;
    }
    return !critical;
}

bool Marks::install_dependencies(Node& node, const std::vector<Group>& groups, bool is_protected, By by,
                                 unsigned depth) {
    bool all = true;
    for (const auto group : groups) {
        if (is_met(group)) {
            if (is_protected)
                all = protect_only_solution(node, group, depth) && all;
            continue;
        }
        if (install_one_of(node, group, is_protected, depth))
            continue;
        all = false;
        if (!is_protected && by == By::solver)
            return false;
    }
    return all;
}

bool Marks::install(Node& node, Follow follow, By by, unsigned depth, const Node* wanted_by) {
    if (depth > kMaximalDepth || node.versions.empty())
        return false;
    if (by == By::solver && node.mode != Mode::install && node.is_protected)
        return false;
    if (!node.candidate)
        return false;
    if (!node.is_protected && node.mode == Mode::install && !lacks_something(node, Need::all))
        return true;
    if (follow == Follow::dependencies && !may_be_installed(node))
        return false;
    if (by == By::user)
        mark(node, by, wanted_by);
    if (follow == Follow::nothing) {
        if (by == By::solver)
            mark(node, by, wanted_by);
        return true;
    }
    const bool is_protected = node.is_protected;
    const bool fails_early = !is_protected && by == By::solver;
    const auto wants = wants_of(*node.candidate, is_protected);
    bool succeeded = clear_conflicts(wants.conflicts, is_protected, by);
    if (!succeeded && fails_early)
        return false;
    if (by == By::solver)
        mark(node, by, wanted_by);
    const ScopedProtection protection(node);
    if (!install_dependencies(node, wants.dependencies, is_protected, by, depth)) {
        succeeded = false;
        if (fails_early) {
            unmark(node);
            discard(node);
        }
    }
    return succeeded;
}

}  // namespace vprov::resolve
