#include "plan/sources_file.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "base/public_keys.h"
#include "base/text.h"
#include "bootstrap/deb/stanza.h"
#include "recipe/forms.h"

namespace vprov::plan {
namespace {

using Options = std::map<std::string, std::string, std::less<>>;  // by their names in a deb822 source, lower case

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

std::vector<std::string> words_of(std::string_view text) {
    const auto words = split_words(text);
    return {words.begin(), words.end()};
}

// Where a source stands, for messages.
struct Place {
    std::string_view name;
    std::size_t line;
    Error error(std::string_view cause) const {
        return vprov::error(ErrorKind::recipe, "cannot use {}, line {}: {}", name, line, cause);
    }
};

// apt's StringToBool(); nullopt for neither.
std::optional<bool> boolean(std::string_view text) {
    constexpr std::array<std::string_view, 6> kYes = {"yes", "true", "with", "on", "enable", "1"};
    constexpr std::array<std::string_view, 6> kNo = {"no", "false", "without", "off", "disable", "0"};
    const auto word = lower(trimmed(text));
    if (std::find(kYes.begin(), kYes.end(), word) != kYes.end())
        return true;
    if (std::find(kNo.begin(), kNo.end(), word) != kNo.end())
        return false;
    return std::nullopt;
}

bool flag(const Options& options, std::string_view name, bool otherwise, const Place& place) {
    const auto found = options.find(name);
    if (found == options.end())
        return otherwise;
    if (const auto value = boolean(found->second))
        return *value;
    throw place.error(fmt::format("{} {} is neither yes nor no", name, quote(found->second)));
}

std::string checked_key(std::string_view value, const Place& place) {
    auto key = unfolded_key(value);
    try {
        dearmour(key);
    } catch (const Error& e) {
        throw place.error(fmt::format("its Signed-By: {}", e.message()));
    }
    return key;
}

void read_signed_by(const Options& options, const Place& place, recipe::Repository& repository) {
    const auto found = options.find("signed-by");
    if (found == options.end())
        return;
    const auto& value = found->second;
    if (value.starts_with('/') && value.find_first_of(" ,\n") == std::string::npos)
        repository.signed_by = value;
    else if (is_armoured_keyring(value))
        repository.embedded_key = checked_key(value, place);
    else
        throw place.error(fmt::format("signed-by {} is neither a key nor the path of one keyring", quote(value)));
}

// Those that the source is restricted to; none: it is not.
std::vector<std::string> architectures_of(const Options& options) {
    const auto found = options.find("architectures");
    if (found == options.end())
        return {};
    auto list = found->second;
    std::replace(list.begin(), list.end(), ',', ' ');
    return words_of(list);
}

bool is_for(const Options& options, const deb::Architectures& architectures) {
    const auto words = architectures_of(options);
    return !options.contains("architectures") || std::any_of(words.begin(), words.end(), [&](const std::string& word) {
        return word != "all" && architectures.number_of(word).has_value();
    });
}

void check(std::string flaw, std::string_view what, std::string_view value, const Place& place) {
    if (!flaw.empty())
        throw place.error(fmt::format("{} {}: {}", what, quote(value), flaw));
}

recipe::Repository repository_of(const std::string& uri, const std::string& suite,
                                 const std::vector<std::string>& components, const Options& options,
                                 const Place& place) {
    check(recipe::flaw_of_uri(uri), "URI", uri, place);
    const bool is_flat = suite.ends_with('/');
    if (!is_flat)
        check(recipe::flaw_of_suite(suite), "suite", suite, place);
    if (is_flat != components.empty())
        throw place.error(is_flat ? "a suite that ends in '/' has no components" : "no component is named");
    for (const auto& component : components) check(recipe::flaw_of_component(component), "component", component, place);
    recipe::Repository repository;
    repository.uri = uri;
    repository.suite = suite;
    repository.components = components;
    read_signed_by(options, place, repository);
    repository.trusted = flag(options, "trusted", false, place);
    repository.check_valid_until = flag(options, "check-valid-until", true, place);
    repository.allow_weak_digests = flag(options, "allow-weak", false, place);
    repository.architectures = architectures_of(options);
    if (repository.trusted) {
        repository.signed_by.reset();
        repository.embedded_key.clear();
    }
    return repository;
}

// "[arch=amd64 signed-by=/k.gpg]" off the beginning of `line`.
Options take_options(std::string_view& line, const Place& place) {
    Options options;
    if (!line.starts_with('['))
        return options;
    const auto end = line.find(']');
    if (end == std::string_view::npos)
        throw place.error("its '[' is not closed");
    for (const auto option : split_words(line.substr(1, end - 1))) {
        const auto equals = option.find('=');
        if (equals == std::string_view::npos)
            throw place.error(fmt::format("the option {} has no value", quote(option)));
        auto name = lower(option.substr(0, equals));
        if (name == "arch")
            name = "architectures";
        options[name] = option.substr(equals + 1);
    }
    line = trimmed(line.substr(end + 1));
    return options;
}

void read_line(std::string_view line, const deb::Architectures& architectures, const Place& place,
               std::vector<recipe::Repository>& repositories) {
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty() || line.starts_with("deb-src ") || line.starts_with("deb-src\t"))
        return;
    if (!is_source_line(line))
        throw place.error(fmt::format("{} is not a source", quote(line.substr(0, 60))));
    line = trimmed(line.substr(3));
    const auto options = take_options(line, place);
    const auto words = words_of(line);
    if (words.size() < 2)
        throw place.error("a URI and a suite are wanted");
    if (is_for(options, architectures))
        repositories.push_back(repository_of(words[0], words[1], {words.begin() + 2, words.end()}, options, place));
}

void read_stanza(const deb::Stanza& stanza, const deb::Architectures& architectures, std::string_view name,
                 std::vector<recipe::Repository>& repositories) {
    const Place place{name, stanza.line()};
    Options options;
    for (const auto& field : stanza.fields()) options[lower(field.name)] = trimmed(field.value);
    const auto types = words_of(options["types"]);
    if (types.empty())
        throw place.error("it has no Types");
    if (std::find(types.begin(), types.end(), "deb") == types.end() || !flag(options, "enabled", true, place) ||
        !is_for(options, architectures))
        return;
    const auto uris = words_of(options["uris"]), suites = words_of(options["suites"]);
    if (uris.empty() || suites.empty())
        throw place.error(fmt::format("it has no {}", uris.empty() ? "URIs" : "Suites"));
    for (const auto& uri : uris)
        for (const auto& suite : suites)
            repositories.push_back(repository_of(uri, suite, words_of(options["components"]), options, place));
}

void read_stanzas(std::string_view text, const deb::Architectures& architectures, std::string_view name,
                  std::vector<recipe::Repository>& repositories) {
    std::string plain;  // comments may stand between fields; lines keep their numbers
    for (const auto line : split(text, '\n')) plain.append(line.starts_with('#') ? " " : line).push_back('\n');
    deb::StanzaReader reader(plain);
    deb::Stanza stanza;
    try {
        while (reader.next(stanza)) read_stanza(stanza, architectures, name, repositories);
    } catch (const Error& e) {
        if (e.kind() != ErrorKind::archive)
            throw;
        throw error(ErrorKind::recipe, "cannot use {}: {}", name, e.message());
    }
}

bool is_one_line_form(std::string_view text) {
    for (const auto line : split(text, '\n'))
        if (const auto content = trimmed(line); !content.empty() && !content.starts_with('#'))
            return content.starts_with("deb");
    return true;
}

}  // namespace

bool is_source_line(std::string_view text) {
    return text.starts_with("deb ") || text.starts_with("deb\t") || text.starts_with("deb[");
}

std::string unfolded_key(std::string_view value) {
    std::string key;
    for (auto line : split(value, '\n')) {
        line = trimmed(line);
        key.append(line == "." ? "" : line).push_back('\n');
    }
    return key;
}

std::vector<recipe::Repository> read_sources(std::string_view text, std::string_view name,
                                             const deb::Architectures& architectures) {
    std::vector<recipe::Repository> repositories;
    if (is_one_line_form(text)) {
        std::size_t number = 0;
        for (const auto line : split(text, '\n')) read_line(line, architectures, {name, ++number}, repositories);
    } else {
        read_stanzas(text, architectures, name, repositories);
    }
    if (repositories.empty())
        throw error(ErrorKind::recipe, "cannot use {}: it names no repository of packages for {}", name,
                    architectures.native());
    return repositories;
}

}  // namespace vprov::plan
