#include "bootstrap/deb/package_index.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/package_index_state.h"
#include "bootstrap/deb/packages_file.h"
#include "bootstrap/deb/relation.h"

namespace vprov::deb {

// Of equal packages the first stays; the release of the second takes its place only if apt prefers it.
bool PackageIndex::State::kept_already(const Package& package, std::uint32_t group) {
    for (const auto number : versions.numbers_of(group)) {
        auto& kept = packages[number];
        if (kept.version != package.version || kept.architecture != package.architecture ||
            kept.sha256 != package.sha256 || kept.weak_digest != package.weak_digest)
            continue;
        kept.releases |= package.releases;
        if (releases[package.release].priority() > releases[kept.release].priority()) {
            kept.release = package.release;
            kept.filename = package.filename;
        }
        return true;
    }
    return false;
}

void PackageIndex::State::append(const Package& package, std::uint32_t group) {
    const auto number = static_cast<std::uint32_t>(packages.size());
    packages.push_back(package);
    versions.add(group, number);
    if (package.provides.empty())
        return;
    std::vector<std::uint32_t> provided;
    RelationReader reader(package.provides);
    for (Relation relation; reader.next(relation);) {
        const auto virtual_group = names.number_of(relation.name);
        if (std::find(provided.begin(), provided.end(), virtual_group) == provided.end()) {
            provided.push_back(virtual_group);
            providers.add(virtual_group, number);
        }
    }
}

void PackageIndex::State::read(std::string text) {
    texts.push_back(std::make_unique<const std::string>(std::move(text)));
    const auto parts =
        read_packages(*texts.back(), releases.back().weak_digests ? Digests::weak_too : Digests::sha256_only);
    auto expected = packages.size();
    for (const auto& part : parts) expected += part.size();
    packages.reserve(expected);
    names.reserve(expected + expected / 4);  // and virtual names
    for (const auto& part : parts)
        for (auto package : part) {
            package.order = stanzas++;
            if (!architectures.number_of(package.architecture))
                continue;
            package.release = static_cast<std::uint32_t>(releases.size() - 1);
            package.releases = std::uint64_t{1} << std::min<std::uint32_t>(package.release, 63);
            const auto group = names.number_of(package.name);
            if (!kept_already(package, group))
                append(package, group);
        }
    versions.arrange(packages, names.size());
    providers.arrange(packages, names.size());
}

int Release::priority() const {
    if (but_automatic_upgrades)
        return 100;
    return not_automatic ? 1 : 500;
}

PackageIndex::PackageIndex(Architectures architectures) : state_(std::make_shared<State>(std::move(architectures))) {}
PackageIndex::PackageIndex(PackageIndex&&) noexcept = default;
PackageIndex& PackageIndex::operator=(PackageIndex&&) noexcept = default;
PackageIndex::~PackageIndex() = default;

void PackageIndex::add(Release release, std::string text) {
    state_->releases.push_back(std::move(release));
    add_to_last(std::move(text));
}

void PackageIndex::add_to_last(std::string text) {
    if (state_->releases.empty() || state_->snapshot)
        throw error(ErrorKind::internal, "internal error: packages were added where they cannot be");
    try {
        state_->read(std::move(text));
    } catch (Error& e) {
        const auto& release = state_->releases.back();
        e.add_context(fmt::format("cannot use the packages of {} {}", release.uri, release.suite));
        throw;
    }
}

PackageIndex PackageIndex::share() const {
    PackageIndex other(architectures());
    other.state_ = state_;
    return other;
}

const Architectures& PackageIndex::architectures() const {
    return state_->architectures;
}
std::string PackageIndex::full_name(const Package& package) const {
    return state_->architectures.full_name(package.name, package.architecture);
}
std::span<const Release> PackageIndex::releases() const {
    return state_->releases;
}
std::span<const Package> PackageIndex::packages() const {
    return state_->packages;
}

std::span<const Package* const> PackageIndex::versions_of(std::string_view name) const {
    return state_->members(state_->versions, name);
}

std::span<const Package* const> PackageIndex::providers_of(std::string_view name) const {
    return state_->members(state_->providers, name);
}

}  // namespace vprov::deb
