#include "bootstrap/resolve/wishes.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/resolve/explain.h"

namespace vprov::resolve {
namespace {

// Of a foreign architecture nothing is.
bool is_base(const deb::Package& package, Variant variant, const deb::Architectures& architectures) {
    if (architectures.number_of(package.architecture) != 0)
        return false;
    if (package.essential)
        return true;
    if (variant == Variant::essential)
        return false;
    return package.priority == "required" || (variant == Variant::standard && package.priority == "important");
}

// What a system of the variant starts from, in the order in which apt is asked for it. The names count that bear the
// mark in any version of any release, as for debootstrap.
std::vector<std::string_view> base_names(const deb::PackageIndex& index, Variant variant) {
    std::set<std::string_view> marked;
    for (const auto& package : index.packages())
        if (is_base(package, variant, index.architectures()))
            marked.insert(package.name);
    std::vector<std::string_view> names(marked.begin(), marked.end());
    if (variant != Variant::essential)
        names.push_back("apt");
    if (variant == Variant::buildd)
        names.push_back("build-essential");
    // A root whose /bin, /sbin and /lib are links from the start needs no usrmerge.
    if (!index.versions_of("usr-is-merged").empty())
        names.push_back("usr-is-merged");
    return names;
}

// apt's pkgVersionMatch: with any case; a '*' at the end stands for anything, and so do the shell's patterns.
bool matches(std::string_view text, std::string_view pattern) {
    return ::fnmatch(std::string(pattern).c_str(), std::string(text).c_str(), FNM_CASEFOLD) == 0;
}

bool is_called(const deb::Release& release, std::string_view pattern) {
    if (!pattern.empty() && pattern.front() >= '0' && pattern.front() <= '9')
        return matches(release.version, pattern);
    return matches(release.suite, pattern) || matches(release.archive, pattern) || matches(release.codename, pattern);
}

std::string versions_text(const Node& node) {
    std::vector<std::string> versions;
    for (const auto* version : node.versions) versions.emplace_back(version->package->version);
    return joined(versions, ", ");
}

std::string releases_text(const Node& node, const deb::PackageIndex& index) {
    std::vector<std::string> releases;
    for (const auto* version : node.versions)
        for (std::size_t i = 0; i < index.releases().size(); ++i) {
            const auto& suite = index.releases()[i].suite;
            if (version->package->is_in(i) && std::find(releases.begin(), releases.end(), suite) == releases.end())
                releases.push_back(suite);
        }
    return joined(releases, ", ");
}

class WishReader {
  public:
    WishReader(Graph& graph, const std::unordered_set<std::string_view>& excluded)
        : graph_(graph), excluded_(excluded) {}

    void read_base(std::string_view name) {
        if (!excluded_.contains(name) && !is_removed(graph_.node(name)))
            add({&wished_node(graph_, graph_.node(name)), nullptr, {}}, "the base system");
    }

    void read_removal(const deb::PackageWish& wish) {
        auto& node = asked_node(graph_, wish);
        if (node.versions.empty())
            throw_unknown(graph_, node);
        wishes_.removals.push_back(&node);
    }

    void read_install(const deb::PackageWish& wish) {
        if (excluded_.contains(wish.name))
            throw error(ErrorKind::packages, "cannot include package {}: it is excluded as well", quote(wish.name));
        Wish found{&asked_node(graph_, wish), nullptr, wish.release};
        if (is_removed(*found.node))
            throw error(ErrorKind::packages, "cannot include package {}: {} stands there as well", quote(wish.name),
                        quote(std::string(wish.name) + "-"));
        if (!wish.version.empty())
            found.version = &version_like(*found.node, wish);
        else if (!wish.release.empty())
            found.version = &version_from(*found.node, wish);
        else
            found.node = &wished_node(graph_, *found.node);
        add(found, "the recipe");
    }

    Wishes take() { return std::move(wishes_); }

  private:
    bool is_removed(const Node& node) const {
        return std::find(wishes_.removals.begin(), wishes_.removals.end(), &node) != wishes_.removals.end();
    }

    void add(const Wish& wish, std::string_view asked_by) {
        wish.node->asked_by = asked_by;
        const auto known = std::find_if(wishes_.installs.begin(), wishes_.installs.end(),
                                        [&](const Wish& other) { return other.node == wish.node; });
        if (known == wishes_.installs.end())
            wishes_.installs.push_back(wish);
        else if (wish.version)
            *known = wish;
    }

    Version& version_like(const Node& node, const deb::PackageWish& wish) const {
        for (auto* version : node.versions)
            if (version->package->version == wish.version || matches(version->package->version, wish.version))
                return *version;
        if (node.versions.empty())
            throw_unknown(graph_, node);
        throw error(ErrorKind::packages, "cannot find version {} of package {}: only {} is available",
                    quote(wish.version), quote(node.full_name), versions_text(node));
    }

    Version& version_from(const Node& node, const deb::PackageWish& wish) const {
        for (auto* version : node.versions)
            if (is_from(graph_.index(), *version->package, wish.release))
                return *version;
        if (node.versions.empty())
            throw_unknown(graph_, node);
        throw error(ErrorKind::packages, "cannot find package {} in release {}: only {} has it", quote(node.full_name),
                    quote(wish.release), releases_text(node, graph_.index()));
    }

    Graph& graph_;
    const std::unordered_set<std::string_view>& excluded_;
    Wishes wishes_;
};

}  // namespace

bool is_from(const deb::PackageIndex& index, const deb::Package& package, std::string_view release) {
    for (std::size_t i = 0; i < index.releases().size(); ++i)
        if (package.is_in(i) && is_called(index.releases()[i], release))
            return true;
    return false;
}

Node& asked_node(Graph& graph, const deb::PackageWish& wish) {
    const auto& architectures = graph.architectures();
    if (!wish.architecture.empty() && wish.architecture != "any") {
        const auto number = architectures.number_of(wish.architecture == "native" ? "all" : wish.architecture);
        if (!number)
            throw error(ErrorKind::packages,
                        "cannot find package {} of architecture {}: packages are those of {} (foreign architectures "
                        "have to be named)",
                        quote(wish.name), quote(wish.architecture), joined(architectures.names(), ", "));
        return graph.node(wish.name, *number);
    }
    for (std::size_t i = 0; i < architectures.size(); ++i)
        if (auto& node = graph.node(wish.name, i); !node.versions.empty())
            return node;
    return graph.node(wish.name);
}

Wishes read_wishes(Graph& graph, const Request& request, const std::unordered_set<std::string_view>& excluded) {
    WishReader reader(graph, excluded);
    std::vector<deb::PackageWish> asked;
    for (const auto& text : request.include) asked.push_back(deb::read_package_wish(text));
    for (const auto& wish : asked)
        if (wish.removal)
            reader.read_removal(wish);
    for (const auto name : base_names(graph.index(), request.variant)) reader.read_base(name);
    for (const auto& wish : asked)
        if (!wish.removal)
            reader.read_install(wish);
    return reader.take();
}

}  // namespace vprov::resolve
