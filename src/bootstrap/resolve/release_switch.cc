#include "bootstrap/resolve/release_switch.h"

#include <algorithm>

#include "bootstrap/resolve/wishes.h"

namespace vprov::resolve {

// All it needs is marked already.
bool ReleaseSwitch::is_ready(const Version* candidate) {
    if (!candidate)
        return false;
    const auto groups = graph_.groups(*candidate);
    return std::all_of(groups.begin(), groups.end(),
                       [&](Group group) { return !is_critical(group.front().kind) || marks_.is_met(group); });
}

bool ReleaseSwitch::is_fine(Group group) {
    return std::any_of(group.begin(), group.end(), [&](const Dependency& dependency) {
        const auto& target = *dependency.target;
        const auto* candidate = target.node ? target.node->candidate : nullptr;
        if (dependency.relation.op != deb::VersionOperator::none)
            return candidate && deb::satisfies(candidate->package->version, dependency.relation) && is_ready(candidate);
        if (target.offers.empty())
            return is_ready(candidate);
        return std::any_of(target.offers.begin(), target.offers.end(), [&](const Offer& offer) {
            return offer.provider->node->candidate == offer.provider && is_ready(offer.provider);
        });
    });
}

Version* ReleaseSwitch::version_from(const Node& node, std::string_view release) const {
    const auto found = std::find_if(node.versions.begin(), node.versions.end(), [&](const Version* version) {
        return is_from(graph_.index(), *version->package, release);
    });
    return found == node.versions.end() ? nullptr : *found;
}

bool ReleaseSwitch::switch_one_of(Group group, std::string_view release) {
    for (const auto& dependency : group) {
        auto* node = dependency.target->node;
        if (dependency.relation.op == deb::VersionOperator::none || !node)
            continue;
        auto* version = version_from(*node, release);
        if (!version || !deb::satisfies(version->package->version, dependency.relation))
            continue;
        auto* before = node->candidate;
        if (version == before && std::find(changed_.begin(), changed_.end(), node) != changed_.end())
            return true;
        changed_.push_back(node);
        if (run(*version, release))
            return true;
        if (&dependency == &group.back())
            return false;
        if (before)
            marks_.set_candidate(*before);
        changed_.pop_back();
    }
    return false;
}

bool ReleaseSwitch::run(Version& version, std::string_view release) {
    marks_.set_candidate(version);
    const auto changed_before = changed_.size();
    for (const auto group : graph_.groups(version)) {
        const auto kind = group.front().kind;
        if (is_negative(kind) || !marks_.matters(group.front()) || is_fine(group) || switch_one_of(group, release))
            continue;
        if (kind != DependencyKind::recommends) {
            changed_.resize(changed_before);
            return false;
        }
    }
    return true;
}

}  // namespace vprov::resolve
