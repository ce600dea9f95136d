#include "bootstrap/configure/install_order.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "bootstrap/deb/relation.h"

namespace vprov::configure {
namespace {

class Graph {
  public:
    explicit Graph(std::span<const deb::Package* const> packages) : packages_(packages.begin(), packages.end()) {
        std::sort(packages_.begin(), packages_.end(), [](const auto* a, const auto* b) {
            return std::tie(a->name, a->architecture) < std::tie(b->name, b->architecture);
        });
        for (const auto* package : packages_) {
            if (package->essential && package->architecture != "all")
                native_ = package->architecture;
            by_name_[package->name].push_back(package);
            deb::RelationReader reader(package->provides);
            for (deb::Relation provided; reader.next(provided);) by_name_[provided.name].push_back(package);
        }
    }

    const std::vector<const deb::Package*>& packages() const { return packages_; }

    // The packages of the set that satisfy the field, one for each of its groups.
    void append_needs(const deb::Package& owner, std::string_view field,
                      std::vector<const deb::Package*>& needs) const {
        deb::RelationReader reader(field);
        bool satisfied = false;
        for (deb::Relation relation; reader.next(relation);) {
            if (!satisfied)
                if (const auto* package = provider(owner, relation)) {
                    needs.push_back(package);
                    satisfied = true;
                }
            if (!relation.or_next)
                satisfied = false;
        }
    }

    Needs needs_of(const deb::Package& package) const {
        Needs needs;
        append_needs(package, package.pre_depends, needs.before_unpacking);
        needs.before_configuring = needs.before_unpacking;
        append_needs(package, package.depends, needs.before_configuring);
        return needs;
    }

  private:
    // "all" is of the native architecture.
    std::string_view architecture_of(const deb::Package& package) const {
        return package.architecture == "all" && !native_.empty() ? native_ : package.architecture;
    }

    // dpkg's rule: its own architecture, unless one or the other says that another will do.
    bool may_meet(const deb::Package& owner, const deb::Relation& relation, const deb::Package& package) const {
        const auto architecture = architecture_of(package);
        if (relation.architecture.empty())
            return package.multi_arch == "foreign" || architecture == architecture_of(owner);
        if (relation.architecture == "any")
            return package.multi_arch == "allowed" || architecture == architecture_of(owner);
        return architecture == (relation.architecture == "native" ? native_ : relation.architecture);
    }

    const deb::Package* provider(const deb::Package& owner, const deb::Relation& relation) const {
        const auto found = by_name_.find(relation.name);
        if (found == by_name_.end())
            return nullptr;
        for (const auto* package : found->second)
            if (may_meet(owner, relation, *package) &&
                (package->name != relation.name || deb::satisfies(package->version, relation)))
                return package;
        return nullptr;
    }

    std::vector<const deb::Package*> packages_;
    std::string_view native_;  // that of what is essential: no foreign package is in a set for that reason
    std::unordered_map<std::string_view, std::vector<const deb::Package*>> by_name_;
};

// Depth first; what is on the way already is a cycle, which dpkg breaks in its own way when it configures.
void visit(const Graph& graph, const deb::Package* package, std::unordered_set<const deb::Package*>& seen,
           std::vector<const deb::Package*>& order) {
    if (!seen.insert(package).second)
        return;
    for (const auto* needed : graph.needs_of(*package).before_configuring) visit(graph, needed, seen, order);
    order.push_back(package);
}

}  // namespace

std::vector<const deb::Package*> install_order(std::span<const deb::Package* const> packages) {
    const Graph graph(packages);
    std::unordered_set<const deb::Package*> seen;
    std::vector<const deb::Package*> order;
    for (const auto* package : graph.packages()) visit(graph, package, seen, order);
    return order;
}

std::unordered_map<const deb::Package*, Needs> direct_needs(std::span<const deb::Package* const> packages) {
    const Graph graph(packages);
    std::unordered_map<const deb::Package*, Needs> needs;
    for (const auto* package : packages) needs[package] = graph.needs_of(*package);
    return needs;
}

std::vector<const deb::Package*> essential_closure(std::span<const deb::Package* const> packages) {
    const Graph graph(packages);
    std::unordered_set<const deb::Package*> seen;
    std::vector<const deb::Package*> closure;
    for (const auto* package : graph.packages())
        if (package->essential)
            visit(graph, package, seen, closure);
    return closure;
}

}  // namespace vprov::configure
