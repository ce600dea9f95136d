// What the resolver walks: packages, their versions, and what these want. Built from the PackageIndex as far as the
// walk comes, since a request touches a few hundred of the archive's packages. Pure.
//
// With several architectures "foo" is one package for each, with marks of its own. What binds them are relations that
// stand in no field, and offers that stand in no Provides; both are called implicit here, as by apt (2.6,
// pkgcachegen.cc).
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bootstrap/deb/package_index.h"
#include "bootstrap/deb/relation.h"

namespace vprov::resolve {

struct Node;
struct Version;

// The order of apt's own list of a version's dependencies, which is the order in which it follows them.
enum class DependencyKind : std::uint8_t { pre_depends, depends, conflicts, breaks, recommends, suggests };
constexpr bool is_negative(DependencyKind kind) {
    return kind == DependencyKind::conflicts || kind == DependencyKind::breaks;
}
constexpr bool is_critical(DependencyKind kind) {
    return kind <= DependencyKind::breaks;
}
std::string_view verb(DependencyKind kind);  // "depends on", "conflicts with"

// A version that provides a name; `version` is that of the Provides, "" if it has none.
struct Offer {
    Version* provider = nullptr;
    std::string_view version;
    bool is_implicit = false;  // by a package of that name itself, which is Multi-Arch: foreign
};

// What a dependency points at: a name in one architecture; "NAME:any", which packages meet that are Multi-Arch:
// allowed; or "NAME:ARCH", which only those of that architecture meet.
struct Target {
    std::string_view name;
    std::string_view full_name;  // with its qualifier; of a package as Node's
    Node* node = nullptr;        // the package of that name; nullptr for one with a qualifier
    std::vector<Offer> offers;
    std::uint32_t refreshed = 0;  // see Marks
};

struct Dependency {
    DependencyKind kind{};
    deb::Relation relation;
    const Version* owner = nullptr;
    Target* target = nullptr;
    bool is_implicit = false;  // of a package of the same name, and another architecture
};

// Alternatives side by side; a conflict is a group of one.
using Group = std::span<const Dependency>;

struct Version {
    const deb::Package* package = nullptr;
    Node* node = nullptr;
    int priority = 0;  // 1 required ... 5 extra, 0 where the field is missing (which apt puts first)
};

enum class Mode : std::uint8_t { keep, install };

// A package, with the marks that apt's algorithm sets on it. Nothing is installed at the start.
struct Node {
    std::string_view name;           // "libc6"
    std::string_view full_name;      // "libc6:i386" for a foreign architecture
    std::size_t architecture = 0;    // number in deb::Architectures: 0 is the native one, to which "all" belongs
    std::vector<Version*> versions;  // descending; of equal ones the first file's first
    bool essential = false, important = false;

    Version* candidate = nullptr;
    Version* install = nullptr;
    Mode mode = Mode::keep;
    bool is_protected = false;
    bool automatic = false;
    Version* discarded = nullptr;     // the candidate until `discarded_at`
    std::uint32_t discarded_at = 0;   // see Marks
    const Node* wanted_by = nullptr;  // whose dependency brought it in first
    std::string_view asked_by;        // "the recipe", "the base system", or "" for neither
};

class Graph {
  public:
    // Both are borrowed for the life of the graph.
    Graph(const deb::PackageIndex& index, const std::unordered_set<std::string_view>& excluded);
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    const deb::PackageIndex& index() const { return index_; }
    const deb::Architectures& architectures() const { return index_.architectures(); }
    Node& node(std::string_view name, std::size_t architecture = 0);
    Node& node_of(const deb::Package& package);
    Node* find(std::string_view name,
               std::size_t architecture = 0) const;  // nullptr if node() was not asked for it yet
    Target& target(std::string_view name, std::size_t architecture = 0);
    Target& any_target(std::string_view name);  // "name:any"
    Target& exact_target(std::string_view name,
                         std::string_view architecture);  // "name:i386", of whatever architecture
    // In apt's order. Throws Error(packages) naming the package for a malformed field.
    std::span<const Group> groups(const Version& version);
    std::vector<Target*> provided_targets(const Version& version);  // those that it has offers in
    std::deque<Node>& nodes() { return nodes_; }                    // in the order in which they were first asked for

  private:
    struct Parsed {
        bool done = false;
        std::vector<Dependency> dependencies;
        std::vector<Group> groups;
    };
    struct Qualifier {
        bool is_any = false, is_exact = false;
        std::size_t architecture = 0;
    };
    using Targets = std::unordered_map<std::string_view, Target*>;
    Version& version(const deb::Package& package, Node& node);
    std::vector<deb::Relation> relations(const Version& version, std::string_view field) const;
    bool counts(const deb::Relation& provided, const deb::Package& provider, Qualifier qualifier) const;
    void add_offers(Target& target, const deb::Package& provider, Qualifier qualifier);
    void add_implicit_offers(Target& target);
    Version& version_of(const deb::Package& package);
    void read_field(DependencyKind kind, const Version& version, std::string_view field, Parsed& parsed);
    void add_implicit_conflicts(const Version& version, Parsed& parsed);
    std::size_t architecture_of(const deb::Package& package) const;

    const deb::PackageIndex& index_;
    const std::unordered_set<std::string_view>& excluded_;
    std::vector<std::unordered_map<std::string_view, Node*>> nodes_of_name_;  // by architecture
    std::vector<Targets> targets_of_name_, exact_targets_of_name_;            // by architecture
    Targets any_target_of_name_;
    std::unordered_map<std::string, Target> nothing_;  // "name:arch" of architectures that there are not
    std::string_view keep(std::string text) { return full_names_.emplace_back(std::move(text)); }
    std::deque<std::string> full_names_;
    std::deque<Node> nodes_;
    std::deque<Target> targets_;
    std::deque<Version> versions_;
    std::unordered_map<const Version*, Parsed> parsed_;
};

// Whether what `offer` says of its version is what the relation asks for.
bool satisfies(const Offer& offer, const deb::Relation& relation);

// Whether the dependency passes the package, or what it provides, over: conflicts never speak of the package that has
// them, nor, where it is Multi-Arch: same, of the same in another architecture (apt's IsIgnorable()).
bool passes_over(const Dependency& dependency, const Node& node);
bool passes_over(const Dependency& dependency, const Offer& offer);

// Calls visit(Version&) for each version that meets the dependency among those which select(Node&) picks (nullptr for
// none): first the package of that name, then the providers. Stops when visit() returns true, and returns that.
template <class Select, class Visit>
bool visit_matches(const Dependency& dependency, const Select& select, const Visit& visit) {
    const auto& target = *dependency.target;
    if (target.node && !passes_over(dependency, *target.node)) {
        auto* picked = select(*target.node);
        if (picked && deb::satisfies(picked->package->version, dependency.relation) && visit(*picked))
            return true;
    }
    for (const auto& offer : target.offers)
        if (select(*offer.provider->node) == offer.provider && !passes_over(dependency, offer) &&
            satisfies(offer, dependency.relation) && visit(*offer.provider))
            return true;
    return false;
}

template <class Select>
bool has_match(const Dependency& dependency, const Select& select) {
    return visit_matches(dependency, select, [](const Version&) { return true; });
}

}  // namespace vprov::resolve
