#include "plan/repositories.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/public_keys.h"
#include "base/text.h"
#include "plan/sources_file.h"
#include "plan/suites.h"

namespace vprov::plan {
namespace {

enum class Content { release, security };

struct Keyring {
    std::string_view distribution, path, package;
};
constexpr std::array<Keyring, 2> kKeyrings = {
    {{"debian", "/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"},
     {"ubuntu", "/usr/share/keyrings/ubuntu-archive-keyring.gpg", "ubuntu-keyring"}}};

const Keyring& keyring_of(std::string_view distribution) {
    const auto found = std::find_if(kKeyrings.begin(), kKeyrings.end(),
                                    [&](const Keyring& k) { return k.distribution == distribution; });
    if (found == kKeyrings.end())
        throw error(ErrorKind::internal, "internal error: cannot name the keyring of {}", quote(distribution));
    return *found;
}

std::string without_trailing_slash(std::string uri) {
    while (uri.ends_with('/')) uri.pop_back();
    return uri;
}

// A host can name a proxy's user in a URI; such a source would carry the secret into the guest.
bool is_plain(std::string_view uri) {
    constexpr std::array<std::string_view, 4> kSchemes = {"http://", "https://", "ftp://", "file:/"};
    const bool known =
        std::any_of(kSchemes.begin(), kSchemes.end(), [&](auto scheme) { return uri.starts_with(scheme); });
    return known && uri.find('@') == std::string_view::npos;
}

// False also where the keyring is not there: the mirror is not taken then, and the default one is.
bool is_key_of(std::string_view distribution, std::string_view signed_by, const HostFacts& facts) {
    try {
        const auto keyring = facts.read_file(keyring_of(distribution).path);
        return share_a_key(is_armoured_keyring(keyring) ? dearmour(keyring) : keyring,
                           dearmour(unfolded_key(signed_by)));
    } catch (const Error&) {
        return false;
    }
}

bool is_signed_by_distribution(const HostRepository& source, std::string_view distribution, const HostFacts& facts) {
    if (is_armoured_keyring(source.signed_by))
        return is_key_of(distribution, source.signed_by, facts);
    const auto file = std::filesystem::path(source.signed_by).filename().string();
    return source.signed_by.starts_with('/') && file.starts_with(fmt::format("{}-archive-", distribution));
}

// A mirror of the distribution, as opposed to a vendor's repository that happens to name its suite "bookworm": all
// names are the distribution's own, and if the source is bound to a key, that is the distribution's too.
bool is_mirror(const HostRepository& source, std::string_view distribution, const HostFacts& facts) {
    constexpr std::array<std::string_view, 8> kComponents = {
        "main", "contrib", "non-free", "non-free-firmware", "restricted", "universe", "multiverse", "non-US"};
    const auto is_known = [&](const std::string& component) {
        return std::find(kComponents.begin(), kComponents.end(), component) != kComponents.end();
    };
    return is_plain(source.uri) && is_official(distribution, source.suite) &&
           std::find(source.components.begin(), source.components.end(), "main") != source.components.end() &&
           std::all_of(source.components.begin(), source.components.end(), is_known) &&
           (source.signed_by.empty() || is_signed_by_distribution(source, distribution, facts));
}

// archive.debian.org has only releases that are no longer anywhere else.
bool serves_its_own_releases_only(std::string_view uri) {
    return uri.find("//archive.debian.org/") != std::string_view::npos;
}

// The host's mirror for `suite`: best the one it uses for this release, then one bound to the distribution's key,
// then the first. "" for none.
std::string host_mirror(const HostFacts& facts, std::string_view distribution, std::string_view suite,
                        Content content) {
    const HostRepository* best = nullptr;
    int best_rank = -1;
    for (const auto& source : facts.apt_sources) {
        if (!is_mirror(source, distribution, facts) || is_security(source.suite) != (content == Content::security))
            continue;
        const bool same_release = release_of(source.suite) == release_of(suite);
        if (!same_release && serves_its_own_releases_only(source.uri))
            continue;
        const int rank = (same_release ? 2 : 0) + (source.signed_by.empty() ? 0 : 1);
        if (rank > best_rank) {
            best = &source;
            best_rank = rank;
        }
    }
    return best ? without_trailing_slash(best->uri) : "";
}

std::string release_mirror(const recipe::System& system, const HostFacts& facts) {
    if (system.mirror)
        return without_trailing_slash(*system.mirror);
    if (auto found = host_mirror(facts, system.distribution, system.suite, Content::release); !found.empty())
        return found;
    if (system.distribution != "debian")
        throw error(
            ErrorKind::recipe,
            "cannot choose a mirror for {}: this host has none in its apt sources; name one with [system] mirror",
            quote(system.distribution));
    return without_trailing_slash(facts.default_mirror);
}

std::string security_mirror(const recipe::System& system, const HostFacts& facts, const std::string& mirror) {
    if (system.security_mirror)
        return without_trailing_slash(*system.security_mirror);
    if (auto found = host_mirror(facts, system.distribution, system.suite, Content::security); !found.empty())
        return found;
    // Ubuntu's mirrors carry -security beside the release
    return system.distribution == "debian" ? without_trailing_slash(facts.default_security_mirror) : mirror;
}

std::filesystem::path named_keyring(const recipe::Recipe& recipe, const std::filesystem::path& keyring,
                                    std::string_view key, const HostFacts& facts) {
    auto path = recipe::host_path(recipe, keyring);
    if (!facts.file_exists(path))
        throw error(ErrorKind::recipe, "cannot use {} as {}: there is no file {}", quote(keyring.native()), key,
                    quote(path.native()));
    return path;
}

std::filesystem::path distribution_keyring(const recipe::Recipe& recipe, const HostFacts& facts) {
    if (recipe.system.keyring)
        return named_keyring(recipe, *recipe.system.keyring, "[system] keyring", facts);
    const auto& keyring = keyring_of(recipe.system.distribution);
    if (!facts.file_exists(keyring.path))
        throw error(
            ErrorKind::recipe,
            "cannot find the keyring of {}, {}: install the package {}, or name a keyring with [system] keyring",
            quote(recipe.system.distribution), quote(keyring.path), keyring.package);
    return keyring.path;
}

PlannedRepository own_repository(const recipe::Repository& repository, const recipe::Recipe& recipe,
                                 const HostFacts& facts) {
    PlannedRepository planned{without_trailing_slash(repository.uri),
                              repository.suite,
                              repository.components,
                              {},
                              repository.trusted,
                              repository.check_valid_until,
                              repository.allow_weak_digests,
                              repository.embedded_key,
                              repository.architectures};
    if (repository.signed_by)
        planned.signed_by = named_keyring(recipe, *repository.signed_by, "[[system.repository]] signed_by", facts);
    else if (!repository.trusted && repository.embedded_key.empty())
        planned.signed_by = distribution_keyring(recipe, facts);
    return planned;
}

std::vector<recipe::Repository> named_sources(const recipe::Recipe& recipe, std::string_view entry,
                                              const HostFacts& facts, const deb::Architectures& architectures) {
    if (is_source_line(entry))
        return read_sources(entry, quote(entry), architectures);
    const auto path = recipe::host_path(recipe, entry);
    return read_sources(facts.read_file(path), path.native(), architectures);
}

std::vector<PlannedRepository> repositories_of_sources(const recipe::Recipe& recipe, const HostFacts& facts) {
    const auto& system = recipe.system;
    const deb::Architectures architectures(system.arch.value_or(facts.architecture), system.foreign_architectures);
    std::vector<PlannedRepository> planned;
    for (const auto& entry : system.sources)
        for (const auto& repository : named_sources(recipe, entry, facts, architectures)) {
            planned.push_back(own_repository(repository, recipe, facts));
            planned.back().check_valid_until = repository.check_valid_until && system.check_valid_until;
            planned.back().allow_weak_digests = repository.allow_weak_digests || system.allow_weak_digests;
        }
    if (std::none_of(planned.begin(), planned.end(), [&](const auto& one) { return one.suite == system.suite; }))
        throw error(ErrorKind::recipe, "cannot use [system] sources: none of them is of suite {}, which suite names",
                    quote(system.suite));
    return planned;
}

std::vector<PlannedRepository> distribution_repositories(const recipe::Recipe& recipe, const HostFacts& facts) {
    const auto& system = recipe.system;
    const auto keyring = distribution_keyring(recipe, facts);
    const auto mirror = release_mirror(system, facts);
    const auto pockets = pockets_of(system.distribution, system.suite);
    std::vector<PlannedRepository> planned = {{mirror, system.suite, system.components, keyring}};
    if (system.updates && !pockets.updates.empty())
        planned.push_back({mirror, pockets.updates, system.components, keyring});
    if (system.security && !pockets.security.empty())
        planned.push_back({security_mirror(system, facts, mirror), pockets.security, system.components, keyring});
    for (auto& repository : planned) {
        repository.check_valid_until = system.check_valid_until;
        repository.allow_weak_digests = system.allow_weak_digests;
    }
    return planned;
}

}  // namespace

std::vector<PlannedRepository> planned_repositories(const recipe::Recipe& recipe, const HostFacts& facts) {
    const auto& system = recipe.system;
    if (const auto complete = complete_suite(system.suite); !complete.empty())
        throw error(
            ErrorKind::recipe,
            "cannot use {} as [system] suite: it only adds to {}; take that, and name {} in a [[system.repository]]",
            quote(system.suite), quote(complete), quote(system.suite));
    auto planned =
        system.sources.empty() ? distribution_repositories(recipe, facts) : repositories_of_sources(recipe, facts);
    for (const auto& repository : system.repositories) planned.push_back(own_repository(repository, recipe, facts));
    return planned;
}

}  // namespace vprov::plan
