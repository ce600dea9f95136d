// Takes back what nobody needs: packages that were marked for others which then could not be had. Pure.
#pragma once

#include <unordered_set>
#include <vector>

#include "bootstrap/resolve/graph.h"
#include "bootstrap/resolve/marks.h"

namespace vprov::resolve {

// As apt's DoAutomaticRemove for packages that are new. Needed is what the user asked for, what is essential, and what
// any of these depends on, recommends or suggests, be it in vain.
class Sweep {
  public:
    explicit Sweep(Marks& marks) : marks_(marks), graph_(marks.graph()) {}
    void run();

  private:
    void need(const Version& version);
    void follow(const Dependency& dependency);
    bool is_wanted(const Node& node);
    void save_wanted(std::vector<Node*> unneeded);

    Marks& marks_;
    Graph& graph_;
    std::unordered_set<const Node*> needed_;
    std::unordered_set<const Target*> explored_;
};

}  // namespace vprov::resolve
