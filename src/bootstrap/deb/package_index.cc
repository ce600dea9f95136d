#include "bootstrap/deb/package_index.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/relation.h"
#include "bootstrap/deb/stanza.h"
#include "bootstrap/deb/version.h"

namespace vprov::deb {
namespace {

struct TextField {
    std::string_view name;
    std::string_view Package::*member;
};

constexpr std::array kTextFields = {
    TextField{"Package", &Package::name},
    TextField{"Version", &Package::version},
    TextField{"Architecture", &Package::architecture},
    TextField{"Multi-Arch", &Package::multi_arch},
    TextField{"Priority", &Package::priority},
    TextField{"Section", &Package::section},
    TextField{"Source", &Package::source},
    TextField{"Pre-Depends", &Package::pre_depends},
    TextField{"Depends", &Package::depends},
    TextField{"Recommends", &Package::recommends},
    TextField{"Suggests", &Package::suggests},
    TextField{"Enhances", &Package::enhances},
    TextField{"Conflicts", &Package::conflicts},
    TextField{"Breaks", &Package::breaks},
    TextField{"Replaces", &Package::replaces},
    TextField{"Provides", &Package::provides},
    TextField{"Filename", &Package::filename},
};

constexpr std::uint8_t kNoField = 255;

// Sixty-four thousand stanzas have twenty-five fields each: the table tells most of the unwanted ones at one look.
constexpr std::size_t slot_of(std::string_view name) {
    const std::size_t first = static_cast<unsigned char>(name.front());
    const std::size_t last = static_cast<unsigned char>(name.back());
    return (name.size() * 29 + first * 4 + last) % 128;
}

constexpr std::array<std::uint8_t, 128> make_slots() {
    std::array<std::uint8_t, 128> slots{};
    slots.fill(kNoField);
    for (std::size_t i = 0; i < kTextFields.size(); ++i) {
        auto& slot = slots[slot_of(kTextFields[i].name)];
        if (slot != kNoField)
            throw "two field names share a slot";  // at compile time: choose other factors in slot_of()
        slot = static_cast<std::uint8_t>(i);
    }
    return slots;
}
constexpr auto kSlots = make_slots();

std::string_view Package::*text_member(std::string_view name) {
    const auto slot = kSlots[slot_of(name)];
    if (slot == kNoField || kTextFields[slot].name != name)
        return nullptr;
    return kTextFields[slot].member;
}

Error bad_field(const Field& field, std::string_view cause) {
    return error(ErrorKind::archive, "cannot read line {}: {} {} {}", field.line, field.name, quote(field.value),
                 cause);
}

std::uint64_t number(const Field& field) {
    std::uint64_t value = 0;
    const auto* end = field.value.data() + field.value.size();
    const auto [stop, failure] = std::from_chars(field.value.data(), end, value);
    if (failure != std::errc{} || stop != end || value > (std::uint64_t{1} << 50))
        throw bad_field(field, "is not a size");
    return value;
}

bool flag(const Field& field) {
    return field.value == "yes";
}

bool stays_inside(std::string_view path) {
    if (path.starts_with('/'))
        return false;
    if (path.find("..") == std::string_view::npos)
        return true;
    const auto parts = split(path, '/');
    return std::find(parts.begin(), parts.end(), "..") == parts.end();
}

// What was seen besides the texts, for which an empty view says enough.
struct Seen {
    const Field* filename = nullptr;
    const Field* name = nullptr;
    const Field* version = nullptr;
    bool size = false, sha256 = false;
};

void read_other_field(const Field& field, Package& package, Seen& seen) {
    if (field.name == "Size") {
        package.size = Bytes{number(field)};
        seen.size = true;
    } else if (field.name == "Installed-Size") {
        package.installed_size = Bytes{number(field) << 10};  // KiB (Debian Policy 5.6.20)
    } else if (field.name == "SHA256") {
        const auto digest = Sha256Digest::from_hex(field.value);
        if (!digest)
            throw bad_field(field, "is not a digest");
        package.sha256 = *digest;
        seen.sha256 = true;
    } else if (field.name == "Essential") {
        package.essential = flag(field);
    } else if (field.name == "Important" || field.name == "Protected") {
        package.important = package.important || flag(field);
    }
}

void check(const Stanza& stanza, const Package& package, const Seen& seen) {
    for (const auto& [name, member] : kTextFields)
        if ((package.*member).empty() && (member == &Package::name || member == &Package::version ||
                                          member == &Package::architecture || member == &Package::filename))
            stanza.required(name);
    if (!seen.size)
        stanza.required("Size");
    if (!seen.sha256)
        stanza.required("SHA256");
    if (!is_package_name(package.name))
        throw bad_field(*seen.name, "is not a package name");
    if (!is_version(package.version))
        throw bad_field(*seen.version, "is not a version");
    if (!stays_inside(package.filename))
        throw bad_field(*seen.filename, "leads out of the repository");
}

Package read_package(const Stanza& stanza) {
    Package package;
    Seen seen;
    for (const auto& field : stanza.fields()) {
        const auto member = text_member(field.name);
        if (member == nullptr) {
            read_other_field(field, package, seen);
            continue;
        }
        package.*member = field.value;
        if (member == &Package::filename)
            seen.filename = &field;
        else if (member == &Package::name)
            seen.name = &field;
        else if (member == &Package::version)
            seen.version = &field;
    }
    check(stanza, package, seen);
    return package;
}

// Per group (a name) the packages that belong to it, side by side in one array.
class Groups {
  public:
    void add(std::uint32_t group, std::uint32_t package) { members_.push_back({group, package}); }

    // Members of a group keep the order in which they were added.
    void arrange(std::span<const Package> packages, std::size_t group_count) {
        starts_.assign(group_count + 1, 0);
        for (const auto& member : members_) ++starts_[member.group + 1];
        for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
        arranged_.resize(members_.size());
        numbers_.resize(members_.size());
        auto next = starts_;
        for (const auto& member : members_) {
            const auto place = next[member.group]++;
            numbers_[place] = member.package;
            arranged_[place] = &packages[member.package];
        }
    }

    // As of when they were last arranged; nothing for a younger group.
    std::span<const Package* const> of(std::uint32_t group) const { return part(arranged_, group); }
    std::span<const std::uint32_t> numbers_of(std::uint32_t group) const { return part(numbers_, group); }

  private:
    struct Member {
        std::uint32_t group, package;
    };
    template <class T>
    std::span<const T> part(const std::vector<T>& all, std::uint32_t group) const {
        if (group + 1 >= starts_.size())
            return {};
        return std::span(all).subspan(starts_[group], starts_[group + 1] - starts_[group]);
    }
    std::vector<Member> members_;
    std::vector<std::uint32_t> starts_;
    std::vector<const Package*> arranged_;
    std::vector<std::uint32_t> numbers_;
};

}  // namespace

struct PackageIndex::State {
    std::string architecture;
    std::vector<std::unique_ptr<const std::string>> texts;  // one by one: views outlive a vector that grows
    std::vector<Release> releases;
    std::vector<Package> packages;
    std::unordered_map<std::string_view, std::uint32_t> group_of_name;
    Groups versions, providers;
    std::uint32_t stanzas = 0;

    std::uint32_t group_of(std::string_view name) {
        return group_of_name.try_emplace(name, static_cast<std::uint32_t>(group_of_name.size())).first->second;
    }
    std::span<const Package* const> members(const Groups& groups, std::string_view name) const {
        const auto found = group_of_name.find(name);
        return found == group_of_name.end() ? std::span<const Package* const>{} : groups.of(found->second);
    }
    void read(std::string text);
    bool kept_already(const Package& package, std::uint32_t group);
    void append(const Package& package, std::uint32_t group);
};

// Of equal packages the first stays; the release of the second takes its place only if apt prefers it.
bool PackageIndex::State::kept_already(const Package& package, std::uint32_t group) {
    for (const auto number : versions.numbers_of(group)) {
        auto& kept = packages[number];
        if (kept.version != package.version || kept.architecture != package.architecture ||
            kept.sha256 != package.sha256)
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
        const auto virtual_group = group_of(relation.name);
        if (std::find(provided.begin(), provided.end(), virtual_group) == provided.end()) {
            provided.push_back(virtual_group);
            providers.add(virtual_group, number);
        }
    }
}

void PackageIndex::State::read(std::string text) {
    texts.push_back(std::make_unique<const std::string>(std::move(text)));
    const auto expected = packages.size() + texts.back()->size() / 600;  // a stanza of Debian's has 700 bytes
    packages.reserve(expected);
    group_of_name.reserve(expected + expected / 4);  // and virtual names
    StanzaReader reader(*texts.back());
    for (Stanza stanza; reader.next(stanza); ++stanzas) {
        auto package = read_package(stanza);
        if (package.architecture != architecture && package.architecture != "all")
            continue;
        package.release = static_cast<std::uint32_t>(releases.size() - 1);
        package.releases = std::uint64_t{1} << std::min<std::uint32_t>(package.release, 63);
        package.order = stanzas;
        const auto group = group_of(package.name);
        if (!kept_already(package, group))
            append(package, group);
    }
    versions.arrange(packages, group_of_name.size());
    providers.arrange(packages, group_of_name.size());
}

int Release::priority() const {
    if (but_automatic_upgrades)
        return 100;
    return not_automatic ? 1 : 500;
}

PackageIndex::PackageIndex(std::string native_architecture) : state_(std::make_unique<State>()) {
    state_->architecture = std::move(native_architecture);
}
PackageIndex::PackageIndex(PackageIndex&&) noexcept = default;
PackageIndex& PackageIndex::operator=(PackageIndex&&) noexcept = default;
PackageIndex::~PackageIndex() = default;

void PackageIndex::add(Release release, std::string text) {
    state_->releases.push_back(std::move(release));
    add_to_last(std::move(text));
}

void PackageIndex::add_to_last(std::string text) {
    if (state_->releases.empty())
        throw error(ErrorKind::internal, "internal error: packages were added before their release");
    try {
        state_->read(std::move(text));
    } catch (Error& e) {
        const auto& release = state_->releases.back();
        e.add_context(fmt::format("cannot use the packages of {} {}", release.uri, release.suite));
        throw;
    }
}

const std::string& PackageIndex::architecture() const {
    return state_->architecture;
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
