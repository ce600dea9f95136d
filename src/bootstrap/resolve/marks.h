// Marking packages for installation as apt-get does on an empty system (apt 2.6; pkgDepCache::MarkInstall). Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "bootstrap/resolve/creation_order.h"
#include "bootstrap/resolve/graph.h"

namespace vprov::resolve {

enum class Recommends { ignored, followed };
enum class Follow { nothing, dependencies };  // what marking one package does about those that it depends on
enum class By { user, solver };

// The marks stand on the nodes of the graph. What apt does that shows in its results, beyond the obvious:
// - Everything the user asked for is protected, and so is, step by step, all that it cannot do without; what conflicts
//   with it loses its candidate. Only then come choices.
// - When a candidate is given up, apt does not look again at those who depend on it: until something else about the
//   name changes they still count it as one that could be had. `clock_` tells these times apart.
class Marks {
  public:
    Marks(Graph& graph, Recommends recommends) : graph_(graph), order_(graph.index()), recommends_(recommends) {}

    // False if the package cannot be installed; dependencies marked on the way may stay marked, as with apt.
    bool install(Node& node, Follow follow, By by, unsigned depth = 0, const Node* wanted_by = nullptr);
    void set_candidate(Version& version);  // what is marked already changes with it
    bool keep(Node& node);                 // takes back an installation; false for what is protected
    bool remove(Node& node);               // as keep(), but never what is essential or was asked for by the user

    bool is_broken(const Node& node);  // marked, with a dependency unmet or a conflict
    bool lacks_anything();             // some marked package is broken, or lacks what it recommends where that matters
    bool is_met(Group group) const;    // by what is marked; of a conflict: nothing marked is hit
    bool may_be_met(const Dependency& dependency) const;  // by candidates, in apt's (sometimes outdated) view
    bool matters(const Dependency& dependency) const;

    // The candidates that meet the group, best first: apt's order of preference.
    std::vector<Version*> solutions(Group group);

    Graph& graph() { return graph_; }

  private:
    enum class Need { critical, all };
    struct Wants;
    bool lacks_something(const Node& node, Need need);
    bool may_be_installed(Node& node);
    void mark(Node& node, By by, const Node* wanted_by);
    void unmark(Node& node);
    void discard(Node& node);
    void refresh(Node& node);
    Wants wants_of(Version& version, bool is_protected);
    bool clear_conflicts(const std::vector<Group>& conflicts, bool is_protected, By by);
    bool clear_conflict(Group conflict, bool is_protected, By by);
    bool install_dependencies(Node& node, const std::vector<Group>& groups, bool is_protected, By by, unsigned depth);
    bool protect_only_solution(Node& node, Group group, unsigned depth);
    bool install_one_of(Node& node, Group group, bool is_protected, unsigned depth);
    bool prefers(const Version& a, const Version& b, const Dependency& dependency);
    void drop_unwanted(std::vector<Version*>& versions) const;

    Graph& graph_;
    CreationOrder order_;
    Recommends recommends_;
    std::uint32_t clock_ = 1;
};

}  // namespace vprov::resolve
