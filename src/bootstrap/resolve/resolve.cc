#include "bootstrap/resolve/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_set>

#include "base/error.h"
#include "bootstrap/resolve/explain.h"
#include "bootstrap/resolve/graph.h"
#include "bootstrap/resolve/marks.h"
#include "bootstrap/resolve/release_switch.h"
#include "bootstrap/resolve/repair.h"
#include "bootstrap/resolve/search.h"
#include "bootstrap/resolve/sweep.h"
#include "bootstrap/resolve/wishes.h"

namespace vprov::resolve {
namespace {

// Packages that are taken besides, in the order of the archive.
using Steering = std::vector<const deb::Package*>;

// What apt would come to by itself, if it looked further: automatic, but not to be given up.
void steer(Marks& marks, const deb::Package& package) {
    auto& node = marks.graph().node_of(package);
    for (auto* version : node.versions)
        if (version->package == &package)
            marks.set_candidate(*version);
    if (node.mode != Mode::install)
        marks.install(node, Follow::nothing, By::solver);
    node.is_protected = true;
}

// Each is marked before the first dependency is looked at: a wish counts for more than any choice.
void mark_wishes(Marks& marks, const Wishes& wishes, const Steering& steering) {
    for (auto* node : wishes.removals) node->is_protected = true;
    for (const auto& wish : wishes.installs) {
        if (wish.version)
            marks.set_candidate(*wish.version);
        wish.node->is_protected = true;
        marks.install(*wish.node, Follow::nothing, By::user);
    }
    ReleaseSwitch releases(marks);
    for (const auto& wish : wishes.installs)
        if (!wish.release.empty())
            releases.run(*wish.version, wish.release);
    for (const auto* package : steering) steer(marks, *package);
    for (const auto& wish : wishes.installs) marks.install(*wish.node, Follow::dependencies, By::user);
}

PackageSet marked_set(Graph& graph) {
    PackageSet set;
    for (const auto& node : graph.nodes())
        if (node.mode == Mode::install)
            set.packages.push_back({node.install->package, node.automatic});
    sort(set);
    return set;
}

template <class Member>
Bytes sum(const std::vector<Selected>& packages, Member member) {
    Bytes total;
    for (const auto& selected : packages) total += selected.package->*member;
    return total;
}

using Packages = std::unordered_set<const deb::Package*>;

// One run of apt's algorithm.
class Attempt {
  public:
    Attempt(const deb::PackageIndex& index, const Request& request)
        : request_(request),
          excluded_(request.exclude.begin(), request.exclude.end()),
          graph_(index, excluded_),
          marks_(graph_, request.recommends ? Recommends::followed : Recommends::ignored) {}

    // `steering` is taken before there is any choice. Throws as resolve().
    PackageSet run(const Steering& steering) {
        const auto wishes = read_wishes(graph_, request_, excluded_);
        mark_wishes(marks_, wishes, steering);
        for (const auto& node : graph_.nodes())
            if (node.install)
                marked_at_first_.insert(node.install->package);
        std::vector<Node*> wished = wishes.removals;
        for (const auto& wish : wishes.installs) wished.push_back(wish.node);
        Repair(marks_, wished).run();
        throw_if_broken(marks_, excluded_);
        Sweep(marks_).run();
        return marked_set(graph_);
    }

    // Before anything was mended; none if it did not come so far.
    const Packages& marked_at_first() const { return marked_at_first_; }

  private:
    const Request& request_;
    std::unordered_set<std::string_view> excluded_;
    Graph graph_;
    Marks marks_;
    Packages marked_at_first_;
};

std::optional<PackageSet> steered(const deb::PackageIndex& index, const Request& request, const Steering& steering) {
    try {
        return Attempt(index, request).run(steering);
    } catch (const Error&) {
        return std::nullopt;
    }
}

// As little steering as will do, so that as much as possible stays apt's choice.
std::optional<PackageSet> least_steered(const deb::PackageIndex& index, const Request& request, Steering steering) {
    std::size_t tries_left = 60;
    auto best = steered(index, request, steering);
    for (std::size_t i = 0; best && i < steering.size() && tries_left > 0; --tries_left) {
        auto less = steering;
        less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
        auto set = steered(index, request, less);
        if (set) {
            best = std::move(set);
            steering = std::move(less);
        } else {
            ++i;
        }
    }
    return best;
}

PackageSet set_of(const std::vector<Version*>& versions, const Wishes& wishes) {
    PackageSet set;
    for (const auto* version : versions)
        set.packages.push_back(
            {version->package, std::none_of(wishes.installs.begin(), wishes.installs.end(),
                                            [&](const Wish& wish) { return wish.node == version->node; })});
    sort(set);
    return set;
}

std::optional<PackageSet> searched(const deb::PackageIndex& index, const Request& request, const Packages& preferred,
                                   Offered offered) {
    const std::unordered_set<std::string_view> excluded(request.exclude.begin(), request.exclude.end());
    Graph graph(index, excluded);
    Marks marks(graph, Recommends::ignored);
    const auto wishes = read_wishes(graph, request, excluded);
    for (const auto& wish : wishes.installs)
        if (wish.version)
            marks.set_candidate(*wish.version);
    const auto solution = search(marks, wishes, preferred, excluded, offered);
    if (!solution)
        return std::nullopt;
    Steering steering;
    for (const auto* version : *solution)
        if (!preferred.contains(version->package))
            steering.push_back(version->package);
    std::sort(steering.begin(), steering.end(), [](const auto* a, const auto* b) { return a->order < b->order; });
    auto set = least_steered(index, request, std::move(steering));
    return set ? std::move(set) : set_of(*solution, wishes);
}

Deviation deviation_of(const deb::PackageIndex& index, const PackageSet& set, const Packages& marked,
                       std::string cause) {
    Deviation deviation{std::move(cause), {}, {}};
    Packages taken;
    for (const auto& selected : set.packages) {
        taken.insert(selected.package);
        if (!marked.contains(selected.package))
            deviation.taken.push_back(index.full_name(*selected.package));
    }
    for (const auto* package : marked)
        if (!taken.contains(package))
            deviation.left_out.push_back(index.full_name(*package));
    std::sort(deviation.left_out.begin(), deviation.left_out.end());
    return deviation;
}

std::optional<PackageSet> other_solution(const deb::PackageIndex& index, const Request& request, const Packages& marked,
                                         const std::string& cause) {
    for (const auto offered : {Offered::candidates, Offered::every_version})
        if (auto set = searched(index, request, marked, offered)) {
            set->deviation = deviation_of(index, *set, marked, cause);
            return set;
        }
    return std::nullopt;
}

}  // namespace

void sort(PackageSet& set) {
    std::sort(set.packages.begin(), set.packages.end(), [](const Selected& a, const Selected& b) {
        return std::tie(a.package->name, a.package->architecture) < std::tie(b.package->name, b.package->architecture);
    });
}

std::string canonical_text(const PackageSet& set) {
    std::vector<std::string> lines;
    for (const auto& [package, automatic] : set.packages)
        lines.push_back(
            fmt::format("{} {} {} {}\n", package->name, package->version, package->architecture,
                        package->weak_digest.empty() ? package->sha256.hex() : std::string(package->weak_digest)));
    std::sort(lines.begin(), lines.end());
    return fmt::format("{}", fmt::join(lines, ""));
}

Bytes PackageSet::download_size() const {
    return sum(packages, &deb::Package::size);
}
Bytes PackageSet::installed_size() const {
    return sum(packages, &deb::Package::installed_size);
}

PackageSet resolve(const deb::PackageIndex& index, const Request& request) {
    Attempt attempt(index, request);
    try {
        return attempt.run({});
    } catch (const Error& e) {
        if (attempt.marked_at_first().empty())
            throw;
        if (auto set = other_solution(index, request, attempt.marked_at_first(), e.message()))
            return std::move(*set);
        throw;
    }
}

}  // namespace vprov::resolve
