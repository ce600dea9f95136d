#include "bootstrap/archive/release_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/stanza.h"

namespace vprov::archive {
namespace {

constexpr std::int64_t kForgivenSkew = 3600;

std::vector<std::string> words(std::string_view text) {
    const auto parts = split_words(text);
    return {parts.begin(), parts.end()};
}

// The strongest first.
constexpr std::array<std::pair<DigestKind, std::string_view>, 3> kDigestFields = {
    {{DigestKind::sha256, "SHA256"}, {DigestKind::sha1, "SHA1"}, {DigestKind::md5, "MD5Sum"}}};

std::string_view name_of(DigestKind kind) {
    return kind == DigestKind::sha256 ? "SHA-256" : kind == DigestKind::sha1 ? "SHA-1" : "MD5";
}

bool is_yes(std::string_view value) {
    return value == "yes" || value == "true" || value == "1";
}  // as apt's FindB

bool contains(const std::vector<std::string>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

template <class Number>
bool parse_number(std::string_view text, Number& value) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    return !text.empty() && problem == std::errc() && end == text.data() + text.size();
}

// "main/binary-amd64/Packages.xz", or "Packages.xz" of a flat repository.
bool is_packages_file(std::string_view path) {
    const auto slash = path.rfind('/');
    return path.substr(slash == std::string_view::npos ? 0 : slash + 1).starts_with("Packages");
}

std::optional<ListedFile> listed_file(DigestKind kind, std::string_view hex) {
    if (kind == DigestKind::sha256) {
        const auto digest = Sha256Digest::from_hex(hex);
        return digest ? std::optional(ListedFile{*digest, {}}) : std::nullopt;
    }
    const bool is_hex = hex.size() == (kind == DigestKind::sha1 ? 40U : 32U) &&
                        hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return is_hex ? std::optional(ListedFile{{}, {}, std::string(hex)}) : std::nullopt;
}

void read_sums(const deb::Field& field, ReleaseFile& release) {
    std::size_t line = field.line;
    for (const auto text : deb::value_lines(field.value)) {
        ++line;
        const auto parts = split_words(text);
        auto listed = parts.size() == 3 ? listed_file(release.digests, parts[0]) : std::nullopt;
        if (!listed || !parse_number(parts[1], listed->size.value))
            throw error(ErrorKind::archive, "cannot read line {}: {} is not a digest, a size and a name", line,
                        quote(text));
        if (is_packages_file(parts[2]))
            release.files.emplace(parts[2], std::move(*listed));
    }
}

std::optional<std::int64_t> read_date(const deb::Stanza& stanza, std::string_view name) {
    const auto* field = stanza.field(name);
    if (!field || field->value.empty())
        return std::nullopt;
    const auto seconds = parse_date(field->value);
    if (!seconds)
        throw error(ErrorKind::archive, "cannot read line {}: {} is not a date", field->line, quote(field->value));
    return seconds;
}

// "updates/main" of security archives also counts as "main", as for apt.
std::vector<std::string> read_components(std::string_view value) {
    auto components = words(value);
    for (std::size_t i = 0, count = components.size(); i < count; ++i)
        if (const auto slash = components[i].rfind('/'); slash != std::string::npos)
            components.push_back(components[i].substr(slash + 1));
    return components;
}

bool is_for_suite(const ReleaseFile& release, std::string_view asked) {
    const auto is = [&](std::string_view name) { return name == release.codename || name == release.suite; };
    if (is(asked))
        return true;
    const auto slash = asked.rfind('/');  // "buster/updates" has Codename: buster
    return slash != std::string_view::npos && is(asked.substr(0, slash));
}

std::string list_of(const std::vector<std::string>& names) {
    return joined(names, " ");
}

// What it costs to have a file decompressed, in seconds: 16 MB/s of network and the rates measured for 50 MB of
// Packages text on one 2023 server core.
double cost(std::string_view suffix, Bytes fetched, Bytes plain) {
    constexpr double kNetwork = 16e6;
    const double rate = suffix == ".zst" ? 900e6 : suffix == ".gz" ? 500e6 : suffix == ".bz2" ? 30e6 : 62e6;
    return static_cast<double>(fetched.value) / kNetwork + static_cast<double>(plain.value) / rate;
}

std::optional<IndexFile> cheapest_form(const ReleaseFile& release, const std::string& path) {
    std::optional<IndexFile> best;
    double best_cost = 0;
    const auto plain = release.files.find(path);
    const auto plain_size = plain == release.files.end() ? Bytes{} : plain->second.size;
    for (const std::string_view suffix : {".zst", ".xz", ".gz", ".bz2"}) {
        const auto listed = release.files.find(path + std::string(suffix));
        if (listed == release.files.end())
            continue;
        const double its_cost = cost(suffix, listed->second.size, plain_size);
        if (best && its_cost >= best_cost)
            continue;
        best = IndexFile{listed->first, listed->second, std::nullopt, release.by_hash};
        best_cost = its_cost;
    }
    if (plain == release.files.end())
        return best;
    // Archives list the plain file even where they only keep the compressed ones.
    if (!best)
        best = IndexFile{path, plain->second, std::nullopt, release.by_hash};
    best->plain = plain->second;
    return best;
}

bool is_asked_for(const Repository& repository, const std::string& architecture) {
    return repository.architectures.empty() || contains(repository.architectures, architecture);
}

void add_component(const ReleaseFile& release, const Repository& repository, std::string_view component,
                   const deb::Architectures& architectures, std::vector<IndexFile>& wanted) {
    const auto form_for = [&](std::string_view which) {
        return cheapest_form(release, fmt::format("{}/binary-{}/Packages", component, which));
    };
    const bool wants_native = is_asked_for(repository, architectures.native());
    auto native = wants_native ? form_for(architectures.native()) : std::nullopt;
    auto all = release.packages_of_all_apart ? form_for("all") : std::nullopt;
    if (wants_native && !native && !all)
        throw error(ErrorKind::archive, "its Release file lists no Packages file for component {} and {}",
                    quote(component), quote(architectures.native()));
    if (native)
        wanted.push_back(std::move(*native));
    for (const auto& name : architectures.foreign())
        if (auto foreign = is_asked_for(repository, name) ? form_for(name) : std::nullopt)
            wanted.push_back(std::move(*foreign));
    if (all)
        wanted.push_back(std::move(*all));
}

void add_flat(const ReleaseFile& release, std::vector<IndexFile>& wanted) {
    auto file = cheapest_form(release, "Packages");
    if (!file)
        throw error(ErrorKind::archive, "its Release file lists no Packages file");
    wanted.push_back(std::move(*file));
}

}  // namespace

ReleaseFile parse_release(std::string_view text) {
    const auto stanza = deb::read_single_stanza(text);
    ReleaseFile release;
    const auto verbatim = [&](std::string_view name) { return std::string(stanza.value(name)); };
    release.origin = verbatim("Origin");
    release.label = verbatim("Label");
    release.suite = verbatim("Suite");
    release.codename = verbatim("Codename");
    release.version = verbatim("Version");
    release.date = verbatim("Date");
    release.valid_until = verbatim("Valid-Until");
    release.date_seconds = read_date(stanza, "Date");
    release.valid_until_seconds = read_date(stanza, "Valid-Until");
    release.by_hash = is_yes(stanza.value("Acquire-By-Hash")) && stanza.field("SHA256");
    release.not_automatic = is_yes(stanza.value("NotAutomatic"));
    release.but_automatic_upgrades = is_yes(stanza.value("ButAutomaticUpgrades"));
    release.architectures = words(stanza.value("Architectures"));
    release.components = read_components(stanza.value("Components"));
    release.packages_of_all_apart = contains(release.architectures, "all") &&
                                    !contains(words(stanza.value("No-Support-for-Architecture-all")), "Packages");
    for (const auto& [kind, name] : kDigestFields) {
        const auto* sums = stanza.field(name);
        if (!sums)
            continue;
        release.digests = kind;
        read_sums(*sums, release);
        return release;
    }
    throw error(ErrorKind::archive, "cannot read line {}: there are no SHA-256 sums", stanza.line());
}

std::optional<std::int64_t> parse_date(std::string_view text) {
    constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto parts = split_words(text);
    if (parts.size() != 6 || (parts[5] != "UTC" && parts[5] != "GMT" && parts[5] != "Z" && parts[5] != "+0000"))
        return std::nullopt;
    const auto clock = split(parts[4], ':');
    const auto month = std::find(kMonths.begin(), kMonths.end(), parts[2]);
    std::tm time{};
    if (month == kMonths.end() || clock.size() != 3 || !parse_number(parts[1], time.tm_mday) ||
        !parse_number(parts[3], time.tm_year) || !parse_number(clock[0], time.tm_hour) ||
        !parse_number(clock[1], time.tm_min) || !parse_number(clock[2], time.tm_sec))
        return std::nullopt;
    const auto within = [](int value, int low, int high) { return value >= low && value <= high; };
    if (!within(time.tm_mday, 1, 31) || !within(time.tm_year, 1970, 9999) || !within(time.tm_hour, 0, 23) ||
        !within(time.tm_min, 0, 59) || !within(time.tm_sec, 0, 60))
        return std::nullopt;
    time.tm_year -= 1900;
    time.tm_mon = static_cast<int>(month - kMonths.begin());
    return ::timegm(&time);
}

std::string date_text(std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

DigestKind ListedFile::kind() const {
    return !is_weak() ? DigestKind::sha256 : weak.size() == 40 ? DigestKind::sha1 : DigestKind::md5;
}

std::string_view ListedFile::kind_name() const {
    return name_of(kind());
}

std::string ListedFile::hex() const {
    return is_weak() ? weak : digest.hex();
}

std::string ListedFile::hex_of(std::string_view data) const {
    return hex_digest(kind(), data);
}

void check_usable(const ReleaseFile& release, const Repository& repository, std::string_view architecture,
                  std::int64_t today) {
    if (release.digests != DigestKind::sha256 && !repository.allow_weak_digests)
        throw error(ErrorKind::archive,
                    "its Release file has no SHA-256 sums, only {}, which is not safe (allow_weak_digests takes it)",
                    name_of(release.digests));
    if (!is_flat(repository) && !is_for_suite(release, repository.suite))
        throw error(ErrorKind::archive, "its Release file is for {}",
                    quote(release.codename.empty() ? release.suite : release.codename));
    if (release.date_seconds && *release.date_seconds > today + kForgivenSkew)
        throw error(ErrorKind::archive, "its Release file is of {}, which is in the future (is the clock right?)",
                    date_text(*release.date_seconds));
    if (repository.check_valid_until && release.valid_until_seconds &&
        *release.valid_until_seconds < today - kForgivenSkew)
        throw error(ErrorKind::archive, "its Release file has expired: it was valid until {}",
                    date_text(*release.valid_until_seconds));
    for (const auto& component : repository.components)
        if (!release.components.empty() && !contains(release.components, component))
            throw error(ErrorKind::archive, "it has no component {}, only {}", quote(component),
                        list_of(release.components));
    if (is_asked_for(repository, std::string(architecture)) && !release.architectures.empty() &&
        !contains(release.architectures, architecture) && !release.packages_of_all_apart)
        throw error(ErrorKind::archive, "it has no packages for {}, only for {}", quote(architecture),
                    list_of(release.architectures));
}

bool is_flat(const Repository& repository) {
    return repository.suite.ends_with('/');
}

std::string IndexFile::by_hash_path() const {
    const auto slash = path.rfind('/');
    const auto folder = slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
    return fmt::format("{}by-hash/SHA256/{}", folder, fetched.digest.hex());
}

std::vector<IndexFile> packages_files(const ReleaseFile& release, const Repository& repository,
                                      const deb::Architectures& architectures) {
    std::vector<IndexFile> wanted;
    if (is_flat(repository))
        add_flat(release, wanted);
    else if (repository.components.empty())
        throw error(ErrorKind::archive, "no component of it is named");
    for (const auto& component : repository.components)
        add_component(release, repository, component, architectures, wanted);
    for (const auto& file : wanted)
        if (file.fetched.size > kLargestPackagesFile || (file.plain && file.plain->size > kLargestPackagesFile))
            throw error(ErrorKind::archive, "its Release file lists {} with more than {}", quote(file.path),
                        human(kLargestPackagesFile));
    return wanted;
}

std::vector<std::string> lacking_architectures(const ReleaseFile& release, const Repository& repository,
                                               const deb::Architectures& architectures) {
    std::vector<std::string> lacking;
    for (const auto& name : architectures.foreign())
        if (is_asked_for(repository, name) && !release.architectures.empty() && !contains(release.architectures, name))
            lacking.push_back(name);
    return lacking;
}

}  // namespace vprov::archive
