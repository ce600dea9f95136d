// "pkg/release": what the package needs may come from that release as well, where what apt would take is not enough
// (apt 2.6; pkgDepCache::SetCandidateRelease). Pure.
#pragma once

#include <string_view>
#include <vector>

#include "bootstrap/resolve/graph.h"
#include "bootstrap/resolve/marks.h"

namespace vprov::resolve {

class ReleaseSwitch {
  public:
    explicit ReleaseSwitch(Marks& marks) : marks_(marks), graph_(marks.graph()) {}
    // Makes `version` its package's candidate and goes on to its dependencies. False where one of them was left without
    // a candidate that meets it: that is said later, when it cannot be installed.
    bool run(Version& version, std::string_view release);

  private:
    bool is_fine(Group group);
    bool is_ready(const Version* candidate);
    bool switch_one_of(Group group, std::string_view release);
    Version* version_from(const Node& node, std::string_view release) const;

    Marks& marks_;
    Graph& graph_;
    std::vector<const Node*> changed_;
};

}  // namespace vprov::resolve
