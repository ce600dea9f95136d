#include "pipeline/lock_file.h"

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "base/text.h"

namespace vprov::pipeline {
namespace {

constexpr std::int64_t kFormat = 1;

struct ControlField {
    std::string_view name;
    std::string_view deb::Package::*member;
};
constexpr std::array kControlFields = {
    ControlField{"Source", &deb::Package::source},           ControlField{"Multi-Arch", &deb::Package::multi_arch},
    ControlField{"Priority", &deb::Package::priority},       ControlField{"Section", &deb::Package::section},
    ControlField{"Pre-Depends", &deb::Package::pre_depends}, ControlField{"Depends", &deb::Package::depends},
    ControlField{"Recommends", &deb::Package::recommends},   ControlField{"Suggests", &deb::Package::suggests},
    ControlField{"Enhances", &deb::Package::enhances},       ControlField{"Conflicts", &deb::Package::conflicts},
    ControlField{"Breaks", &deb::Package::breaks},           ControlField{"Replaces", &deb::Package::replaces},
    ControlField{"Provides", &deb::Package::provides},
};

// A basic string: every control character and quote escaped (TOML 1.0, "String").
std::string toml_text(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            quoted += '\\';
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else
            quoted += c;
    }
    return quoted + '"';
}

std::string toml_list(const std::vector<std::string>& texts) {
    std::vector<std::string> quoted;
    quoted.reserve(texts.size());
    for (const auto& text : texts) quoted.push_back(toml_text(text));
    return "[" + joined(quoted, ", ") + "]";
}

// As the recipe has it on one line each; what is folded in the archive is not here.
std::string one_line(std::string_view value) {
    return fmt::format("{}", fmt::join(split_words(value), " "));
}

std::string control_of(const deb::Package& package) {
    std::string text;
    if (package.essential)
        text += "Essential: yes\n";
    if (package.important)
        text += "Protected: yes\n";
    text += fmt::format("Installed-Size: {}\n", package.installed_size.value >> 10);
    for (const auto& [name, member] : kControlFields)
        if (!(package.*member).empty())
            text += fmt::format("{}: {}\n", name, one_line(package.*member));
    return text;
}

std::string_view name_of(resolve::Variant variant) {
    constexpr std::array<std::string_view, 4> kNames = {"essential", "minbase", "buildd", "standard"};
    return kNames.at(static_cast<std::size_t>(variant));
}

LockedRequest request_of(const BootstrapRequest& request) {
    LockedRequest locked;
    locked.architecture = request.architecture;
    locked.foreign_architectures = request.foreign_architectures;
    locked.variant = name_of(request.packages.variant);
    for (const auto& repository : request.repositories)
        locked.repositories.push_back(fmt::format("{} {}", repository.suite, joined(repository.components, " ")));
    locked.include = request.packages.include;
    locked.exclude = request.packages.exclude;
    locked.recommends = request.packages.recommends;
    for (const auto& deb : request.debs) locked.debs.push_back(deb.origin());
    return locked;
}

std::string release_text(const deb::Release& release) {
    return fmt::format(
        "\n[[release]]\nuri = {}\nsuite = {}\ncodename = {}\nversion = {}\ndate = {}\nkey = {}\n"
        "sha256 = {}\n",
        toml_text(release.uri), toml_text(release.suite), toml_text(release.codename), toml_text(release.version),
        toml_text(release.date), toml_text(release.key), toml_text(release.digest.hex()));
}

// A multi-line basic string, a line for each field.
std::string toml_lines(std::string_view text) {
    std::string lines = "\"\"\"\n";
    for (const auto line : split(text, '\n')) {
        if (line.empty())
            continue;
        const auto quoted = toml_text(line);
        lines += quoted.substr(1, quoted.size() - 2) + "\n";
    }
    return lines + "\"\"\"";
}

std::string package_text(const resolve::Selected& selected) {
    const auto& package = *selected.package;
    const auto control = control_of(package);
    return fmt::format(
        "\n[[package]]\nname = {}\nversion = {}\narchitecture = {}\nsize = {}\nsha256 = {}\npath = {}\n"
        "release = {}\nautomatic = {}\ncontrol = {}\n",
        toml_text(package.name), toml_text(package.version), toml_text(package.architecture), package.size.value,
        toml_text(package.sha256.hex()), toml_text(package.filename), package.release, selected.automatic,
        toml_lines(control));
}

// Reads tables whose every key must be there, with a message that has the place.
class LockReader {
  public:
    explicit LockReader(std::string file) : file_(std::move(file)) {}

    [[noreturn]] void fail(const toml::source_position& place, std::string_view cause) const {
        throw error(ErrorKind::recipe, "{}:{}:{}: cannot read lock: {}", file_, place.line, place.column, cause);
    }

    template <class T>
    T value(const toml::table& table, std::string_view key) const {
        const auto* node = table.get(key);
        if (!node)
            fail(table.source().begin, fmt::format("{} is missing", key));
        const auto found = node->value_exact<T>();
        if (!found)
            fail(node->source().begin, fmt::format("{} is not of its type", key));
        return *found;
    }

    std::string text(const toml::table& table, std::string_view key) const { return value<std::string>(table, key); }

    std::size_t number(const toml::table& table, std::string_view key) const {
        const auto number = value<std::int64_t>(table, key);
        if (number < 0)
            fail(table.get(key)->source().begin, fmt::format("{} is negative", key));
        return static_cast<std::size_t>(number);
    }

    Sha256Digest digest(const toml::table& table, std::string_view key) const {
        const auto digest = Sha256Digest::from_hex(text(table, key));
        if (!digest)
            fail(table.get(key)->source().begin, fmt::format("{} is not a digest", key));
        return *digest;
    }

    std::vector<std::string> texts(const toml::table& table, std::string_view key) const {
        const auto* array = table.get_as<toml::array>(key);
        if (!array)
            fail(table.source().begin, fmt::format("{} is missing", key));
        std::vector<std::string> found;
        for (const auto& item : *array) {
            const auto value = item.value_exact<std::string>();
            if (!value)
                fail(item.source().begin, fmt::format("{} is not a list of strings", key));
            found.push_back(*value);
        }
        return found;
    }

    template <class Visit>
    void each(const toml::table& table, std::string_view key, const Visit& visit) const {
        const auto* array = table.get_as<toml::array>(key);
        if (!array || array->empty())
            fail(table.source().begin, fmt::format("[[{}]] is missing", key));
        for (const auto& item : *array) {
            if (!item.is_table())
                fail(item.source().begin, fmt::format("{} is not a table", key));
            visit(*item.as_table());
        }
    }

  private:
    std::string file_;
};

LockedRequest read_request(const LockReader& reader, const toml::table& root) {
    const auto* table = root.get_as<toml::table>("request");
    if (!table)
        reader.fail(root.source().begin, "[request] is missing");
    return {reader.text(*table, "architecture"),
            reader.text(*table, "variant"),
            table->contains("foreign_architectures") ? reader.texts(*table, "foreign_architectures")
                                                     : std::vector<std::string>{},
            reader.texts(*table, "repositories"),
            reader.texts(*table, "include"),
            reader.texts(*table, "exclude"),
            reader.value<bool>(*table, "recommends"),
            table->contains("debs") ? reader.texts(*table, "debs") : std::vector<std::string>{}};
}

deb::Release read_release(const LockReader& reader, const toml::table& table) {
    deb::Release release;
    release.uri = reader.text(table, "uri");
    release.suite = reader.text(table, "suite");
    release.codename = reader.text(table, "codename");
    release.version = reader.text(table, "version");
    release.date = reader.text(table, "date");
    release.key = reader.text(table, "key");
    release.digest = reader.digest(table, "sha256");
    return release;
}

LockedPackage read_package(const LockReader& reader, const toml::table& table) {
    LockedPackage package;
    package.name = reader.text(table, "name");
    package.version = reader.text(table, "version");
    package.architecture = reader.text(table, "architecture");
    package.path = reader.text(table, "path");
    package.sha256 = reader.digest(table, "sha256");
    package.size = Bytes{reader.number(table, "size")};
    package.automatic = reader.value<bool>(table, "automatic");
    package.release = reader.number(table, "release");
    package.control = reader.text(table, "control");
    return package;
}

LockFile read_tables(const LockReader& reader, const toml::table& root) {
    if (reader.value<std::int64_t>(root, "format") != kFormat)
        reader.fail(root.get("format")->source().begin, "its format is of another version of vprov; lock anew");
    LockFile lock;
    lock.request = read_request(reader, root);
    reader.each(root, "release",
                [&](const toml::table& table) { lock.releases.push_back(read_release(reader, table)); });
    reader.each(root, "package", [&](const toml::table& table) {
        lock.packages.push_back(read_package(reader, table));
        if (lock.packages.back().release >= lock.releases.size())
            reader.fail(table.get("release")->source().begin, "there is no such release");
    });
    return lock;
}

// "", or what of the request the lock was not made for.
std::string difference(const LockedRequest& locked, const LockedRequest& asked) {
    const auto other = [](std::string_view what, std::string_view is, std::string_view was) {
        return fmt::format("{} is {}, it was made for {}", what, quote(is), quote(was));
    };
    const auto list = [&](std::string_view what, const std::vector<std::string>& is,
                          const std::vector<std::string>& was) {
        for (const auto& one : is)
            if (std::find(was.begin(), was.end(), one) == was.end())
                return fmt::format("{} has {}, which it was not made for", what, quote(one));
        for (const auto& one : was)
            if (std::find(is.begin(), is.end(), one) == is.end())
                return fmt::format("{} has no {}, which it was made for", what, quote(one));
        return std::string();
    };
    if (locked.architecture != asked.architecture)
        return other("the architecture", asked.architecture, locked.architecture);
    if (auto text =
            list("the list of foreign architectures", asked.foreign_architectures, locked.foreign_architectures);
        !text.empty())
        return text;
    if (locked.variant != asked.variant)
        return other("the variant", asked.variant, locked.variant);
    if (locked.repositories != asked.repositories)
        return other("the list of suites", joined(asked.repositories, ", "), joined(locked.repositories, ", "));
    if (locked.recommends != asked.recommends)
        return other("recommends", asked.recommends ? "true" : "false", locked.recommends ? "true" : "false");
    if (auto text = list("what is included", asked.include, locked.include); !text.empty())
        return text;
    if (auto text = list("what is excluded", asked.exclude, locked.exclude); !text.empty())
        return text;
    return list("the list of local packages", asked.debs, locked.debs);
}

// Packages files, one for each release, with the locked packages only.
std::vector<std::string> stanzas_of(const LockFile& lock) {
    std::vector<std::string> texts(lock.releases.size());
    for (const auto& package : lock.packages)
        texts[package.release] +=
            fmt::format("Package: {}\nVersion: {}\nArchitecture: {}\nFilename: {}\nSize: {}\nSHA256: {}\n{}\n",
                        package.name, package.version, package.architecture, package.path, package.size.value,
                        package.sha256.hex(), package.control);
    return texts;
}

}  // namespace

std::string write_lock(const BootstrapRequest& request, const Selection& selection) {
    const auto asked = request_of(request);
    const auto foreign = asked.foreign_architectures.empty()
                             ? std::string()
                             : fmt::format("foreign_architectures = {}\n", toml_list(asked.foreign_architectures));
    auto text = fmt::format(
        "# The packages of a build: made by 'vprov lock', taken by 'vprov build --locked'. vprov(1), LOCK FILES.\n"
        "format = {}\n\n[request]\narchitecture = {}\n{}variant = {}\nrepositories = {}\ninclude = {}\nexclude = {}\n"
        "recommends = {}\n",
        kFormat, toml_text(asked.architecture), foreign, toml_text(asked.variant), toml_list(asked.repositories),
        toml_list(asked.include), toml_list(asked.exclude), asked.recommends);
    if (!asked.debs.empty())
        text += fmt::format("debs = {}\n", toml_list(asked.debs));
    for (const auto& release : selection.index.releases()) text += release_text(release);
    for (const auto& selected : selection.packages.packages) text += package_text(selected);
    return text;
}

LockFile read_lock(std::string_view text, const std::string& file) {
    const LockReader reader(file);
    try {
        return read_tables(reader, toml::parse(text, file));
    } catch (const toml::parse_error& e) {
        reader.fail(e.source().begin, e.description());
    }
}

Selection locked_selection(const LockFile& lock, const BootstrapRequest& request) {
    if (const auto text = difference(lock.request, request_of(request)); !text.empty())
        throw error(ErrorKind::packages, "cannot use the lock: {}; lock anew", text);
    const auto local = request.debs.empty() ? 0U : 1U;  // behind the repositories
    if (lock.releases.size() != request.repositories.size() + local)
        throw error(ErrorKind::packages, "cannot use the lock: it has {} releases for {} repositories; lock anew",
                    lock.releases.size(), request.repositories.size());
    Selection selection{deb::PackageIndex(request.architectures()), {}, {}};
    auto texts = stanzas_of(lock);
    for (std::size_t i = 0; i < lock.releases.size(); ++i) {
        auto release = lock.releases[i];
        selection.mirrors.push_back(release.uri);
        if (i < request.repositories.size())
            release.uri = request.repositories[i].uri;
        selection.index.add(std::move(release), std::move(texts[i]));
    }
    for (const auto& repository : request.repositories) selection.mirrors.push_back(repository.uri);
    std::map<Sha256Digest, bool> automatic;
    for (const auto& package : lock.packages) automatic.emplace(package.sha256, package.automatic);
    for (const auto& package : selection.index.packages())
        selection.packages.packages.push_back({&package, automatic.at(package.sha256)});
    resolve::sort(selection.packages);
    return selection;
}

std::vector<std::string> changes(const LockFile& before, const LockFile& after) {
    const auto by_name = [](const LockFile& lock) {
        std::map<std::string, const LockedPackage*> packages;
        for (const auto& package : lock.packages) packages.emplace(package.name + ":" + package.architecture, &package);
        return packages;
    };
    const deb::Architectures native = after.request.architecture;
    const auto shown = [&](const LockedPackage& package) {
        return native.full_name(package.name, package.architecture);
    };
    const auto old_packages = by_name(before);
    const auto new_packages = by_name(after);
    std::vector<std::string> lines;
    for (const auto& [key, package] : new_packages) {
        const auto old = old_packages.find(key);
        if (old == old_packages.end())
            lines.push_back(fmt::format("+ {} {}", shown(*package), package->version));
        else if (old->second->version != package->version)
            lines.push_back(fmt::format("{} {} -> {}", shown(*package), old->second->version, package->version));
        else if (old->second->sha256 != package->sha256)
            lines.push_back(fmt::format("{} {} with another content", shown(*package), package->version));
    }
    for (const auto& [key, package] : old_packages)
        if (!new_packages.contains(key))
            lines.push_back(fmt::format("- {} {}", shown(*package), package->version));
    return lines;
}

}  // namespace vprov::pipeline
