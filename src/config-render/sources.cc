#include "config-render/sources.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "base/text.h"
#include "config-render/suite.h"
#include "config-render/templates.h"

namespace vprov::render {
namespace {
using kainjow::mustache::data;
using plan::PlannedRepository;

// Where the guest has a keyring of this host by its own packages; "" for one that they do not bring. Debian's has its
// old name, .gpg, in every release.
std::string own_keyring(const std::filesystem::path& keyring) {
    if (keyring.parent_path() != "/usr/share/keyrings")
        return "";
    if (keyring.stem() == "debian-archive-keyring")
        return "/usr/share/keyrings/debian-archive-keyring.gpg";
    return keyring.stem() == "ubuntu-archive-keyring" ? keyring.string() : "";
}

// "host:8080" of "http://user@host:8080/debian"; "" for none.
std::string_view authority_of(std::string_view uri) {
    const auto scheme = uri.find("://");
    if (scheme == std::string_view::npos)
        return {};
    auto host = uri.substr(scheme + 3);
    host = host.substr(0, host.find('/'));
    return host.substr(host.find('@') + 1);  // npos + 1 is 0
}

// Without the port, "[::1]" as it stands.
std::string_view host_of(std::string_view uri) {
    const auto authority = authority_of(uri);
    return authority.substr(0, authority.find(':', authority.starts_with('[') ? authority.find(']') : 0));
}

bool is_of_this_host(std::string_view uri) {
    if (uri.starts_with("file:") || uri.starts_with("copy:"))
        return true;
    const auto host = authority_of(uri);
    return host == "localhost" || host.starts_with("localhost:") || host.starts_with("127.") ||
           host.starts_with("[::1]");
}

bool is_security(std::string_view suite) {
    return suite.ends_with("-security") || suite.ends_with("/updates");
}

// The distribution's repositories as the guest reaches them.
std::vector<PlannedRepository> reachable(std::span<const PlannedRepository> repositories,
                                         std::string_view distribution) {
    std::vector<PlannedRepository> out(repositories.begin(), repositories.end());
    if (distribution == "debian")
        for (auto& repository : out)
            if (is_of_this_host(repository.uri))
                repository.uri = is_security(repository.suite) ? VPROV_DEFAULT_SECURITY_MIRROR : VPROV_DEFAULT_MIRROR;
    return out;
}

// Where each keyring of the host, and each key of a source, stands in the guest.
class Keyrings {
  public:
    std::string in_guest(const PlannedRepository& repository) {
        if (!repository.embedded_key.empty())
            return place(repository.embedded_key, key_name(repository.uri), {"", repository.embedded_key});
        const auto& keyring = repository.signed_by;
        if (keyring.empty())
            return "";
        if (auto own = own_keyring(keyring); !own.empty())
            return own;
        GuestFile copy;
        copy.source = keyring;
        return place(keyring.native(), keyring.filename(), std::move(copy));
    }

    std::vector<GuestFile> files() const {
        std::vector<GuestFile> files;
        for (const auto& [identity, file] : places_) files.push_back(file);
        return files;
    }

  private:
    static std::string key_name(std::string_view uri) {
        auto host = std::string(authority_of(uri));
        std::ranges::replace_if(
            host, [](char c) { return c == ':' || c == '[' || c == ']'; }, '-');
        return (host.empty() ? "local" : host) + ".asc";
    }

    std::string place(const std::string& identity, const std::filesystem::path& name, GuestFile file) {
        if (const auto known = places_.find(identity); known != places_.end())
            return known->second.path;
        const auto is_taken = [&](const std::string& path) {
            return std::ranges::any_of(places_, [&](const auto& place) { return place.second.path == path; });
        };
        file.path = "/etc/apt/keyrings/" + name.string();
        for (unsigned i = 2; is_taken(file.path); ++i)
            file.path = fmt::format("/etc/apt/keyrings/{}-{}{}", name.stem().string(), i, name.extension().string());
        return (places_[identity] = std::move(file)).path;
    }

    std::map<std::string, GuestFile> places_;  // by the host's path, or the key itself
};

std::string one_line_options(const PlannedRepository& repository, const std::string& keyring) {
    std::vector<std::string> options;
    if (!keyring.empty())
        options.push_back("signed-by=" + keyring);
    if (!repository.architectures.empty())
        options.push_back("arch=" + joined(repository.architectures, ","));
    if (repository.trusted)
        options.emplace_back("trusted=yes");
    if (!repository.check_valid_until)
        options.emplace_back("check-valid-until=no");
    if (repository.allow_weak_digests)
        options.emplace_back("allow-weak=yes");
    return options.empty() ? "" : fmt::format("[{}] ", joined(options, " "));
}

std::string sources_list(std::span<const PlannedRepository> repositories, Keyrings& keyrings) {
    data lines{data::type::list};
    for (const auto& repository : repositories) {
        data line;
        line["options"] = one_line_options(repository, keyrings.in_guest(repository));
        line["uri"] = repository.uri;
        line["suite"] = repository.suite;
        line["components"] = joined(repository.components, " ");
        lines << line;
    }
    return rendered("sources.list", data{"lines", lines});
}

struct Stanza {
    std::string uri, suites, components;
    std::vector<std::pair<std::string, std::string>> settings;
    bool takes(const Stanza& other) const {
        return uri == other.uri && components == other.components && settings == other.settings;
    }
};

enum class Origin { distribution, recipe };

Stanza stanza_of(const PlannedRepository& repository, Origin origin, Keyrings& keyrings) {
    Stanza stanza{repository.uri, repository.suite, joined(repository.components, " "), {}};
    if (origin == Origin::recipe && is_of_this_host(repository.uri))
        stanza.settings.emplace_back("Enabled", "no");
    if (const auto keyring = keyrings.in_guest(repository); !keyring.empty())
        stanza.settings.emplace_back("Signed-By", keyring);
    if (!repository.architectures.empty())
        stanza.settings.emplace_back("Architectures", joined(repository.architectures, " "));
    if (repository.trusted)
        stanza.settings.emplace_back("Trusted", "yes");
    if (!repository.check_valid_until)
        stanza.settings.emplace_back("Check-Valid-Until", "no");
    if (repository.allow_weak_digests)
        stanza.settings.emplace_back("Allow-Weak", "yes");
    return stanza;
}

std::string deb822(std::span<const PlannedRepository> repositories, Origin origin, Keyrings& keyrings) {
    std::vector<Stanza> stanzas;
    for (const auto& repository : repositories) {
        auto next = stanza_of(repository, origin, keyrings);
        if (!stanzas.empty() && stanzas.back().takes(next))
            stanzas.back().suites += " " + next.suites;
        else
            stanzas.push_back(std::move(next));
    }
    data list{data::type::list};
    for (const auto& stanza : stanzas) {
        data entry;
        entry["separated"] = &stanza != stanzas.data();
        entry["uri"] = stanza.uri;
        entry["suites"] = stanza.suites;
        entry["components"] = stanza.components.empty() ? data{data::type::bool_false} : data{stanza.components};
        data settings{data::type::list};
        for (const auto& [key, value] : stanza.settings) {
            data setting;
            setting["key"] = key;
            setting["value"] = value;
            settings << setting;
        }
        entry.set("settings", settings);
        list << entry;
    }
    return rendered("sources", data{"stanzas", list});
}

// apt takes a company's own authorities for its mirrors; those of everybody stay good for everything else
// (apt-transport-https(1)).
std::vector<GuestFile> authority_files(const plan::Plan& plan, std::span<const PlannedRepository> repositories) {
    if (!plan.recipe.system.ca_certificates)
        return {};
    std::set<std::string> hosts;
    for (const auto& repository : repositories)
        if (repository.uri.starts_with("https:") && !is_of_this_host(repository.uri))
            hosts.insert(std::string(host_of(repository.uri)));
    if (hosts.empty())
        return {};
    GuestFile copy{"/etc/apt/mirror-ca.pem", ""};
    copy.source = recipe::host_path(plan.recipe, *plan.recipe.system.ca_certificates);
    std::string settings;
    for (const auto& host : hosts) settings += fmt::format("Acquire::https::{}::CaInfo \"{}\";\n", host, copy.path);
    return {{"/etc/apt/apt.conf.d/80mirror-ca", settings}, std::move(copy)};
}

}  // namespace

std::vector<GuestFile> source_files(const plan::Plan& plan) {
    const std::span all(plan.repositories);
    const auto own_count = std::min(plan.recipe.system.repositories.size(), all.size());
    const auto& system = plan.recipe.system;
    const auto distribution = reachable(all.first(all.size() - own_count), system.distribution);
    const auto own = all.last(own_count);
    Keyrings keyrings;
    std::vector<GuestFile> files;
    if (is_before_trixie(system.suite))
        files.push_back({"/etc/apt/sources.list", sources_list(distribution, keyrings)});
    else
        files.push_back({fmt::format("/etc/apt/sources.list.d/{}.sources", system.distribution),
                         deb822(distribution, Origin::distribution, keyrings)});
    if (!own.empty())
        files.push_back({"/etc/apt/sources.list.d/vprov.sources", deb822(own, Origin::recipe, keyrings)});
    std::ranges::move(keyrings.files(), std::back_inserter(files));
    std::ranges::move(authority_files(plan, all), std::back_inserter(files));
    return files;
}

}  // namespace vprov::render
