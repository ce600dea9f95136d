// What apt does when its marks contradict each other (apt 2.6; pkgProblemResolver). Pure.
#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bootstrap/resolve/graph.h"
#include "bootstrap/resolve/marks.h"
#include "bootstrap/resolve/name_table.h"

namespace vprov::resolve {

// Goes from the packages that matter most to those that matter least, and mends each broken one: by giving up the side
// that matters less, or for what the user asked for by installing another alternative. Up to twenty rounds.
class Repair {
  public:
    Repair(Marks& marks, const std::vector<Node*>& wishes)
        : marks_(marks), graph_(marks.graph()), wishes_(wishes.begin(), wishes.end()) {}

    // Does nothing when nothing is broken. What is still broken afterwards cannot be mended.
    void run();

  private:
    enum class OrEnd { remove, keep };  // what becomes of a package when no alternative of a group helped
    struct Kill {
        Node* node;
        const Dependency* conflict;
    };
    // The package being mended.
    struct Case {
        Node& node;
        unsigned round;
        bool changed = false;
        std::vector<Kill> kills{};
    };
    struct OrState {
        bool in_or;
        OrEnd end = OrEnd::remove;
    };
    enum class Next { alternative, group, stop };

    std::size_t count_broken();
    void retry_unmarked();
    void score_all();
    void score_wants(const Version& version);
    void score_inheritance();
    std::vector<NameEntry> ordered();
    int qualified_score(const NameEntry& entry) const;
    Node* node_of(const NameEntry& entry);  // nullptr for a name that the walk has not come to

    void mend(Case& current);
    Next mend_group(Case& current, Group group);
    Next mend_alternative(Case& current, Group group, const Dependency& dependency, OrState& state);
    bool mend_by_change_of_self(Case& current, const Dependency& dependency, Node& other, OrState& state);
    void give_up_self(Case& current, const Dependency& dependency, Node& other, const OrState& state);
    void try_installing(Node& node);
    void consider_kill(Case& current, const Dependency& dependency, Node& other);
    void apply_kills(Case& current);
    bool reinstate(Node& node);
    bool reinstate_wants(Node& node);
    bool reinstate_for(Group group);

    Marks& marks_;
    Graph& graph_;
    std::unordered_set<const Node*> wishes_;
    std::unordered_map<const Node*, int> score_;
    std::unordered_map<std::string_view, int> qualified_score_;  // of "NAME:any" and "NAME:ARCH"
    std::unordered_set<const Node*> tried_;                      // reinstate() helps a package once
    std::optional<NameTable> names_;
};

}  // namespace vprov::resolve
