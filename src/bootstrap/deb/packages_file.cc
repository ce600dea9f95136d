#include "bootstrap/deb/packages_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <future>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/package_fields.h"
#include "bootstrap/deb/relation.h"
#include "bootstrap/deb/stanza.h"
#include "bootstrap/deb/version.h"

namespace vprov::deb {
namespace {

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
    std::string_view sha1, md5;
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
    } else if (field.name == "SHA1") {
        seen.sha1 = field.value;
    } else if (field.name == "MD5sum") {
        seen.md5 = field.value;
    } else if (field.name == "Essential") {
        package.essential = flag(field);
    } else if (field.name == "Important" || field.name == "Protected") {
        package.important = package.important || flag(field);
    }
}

bool is_hex(std::string_view text, std::size_t digits) {
    return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string_view weak_digest_of(const Seen& seen) {
    if (is_hex(seen.sha1, 40))
        return seen.sha1;
    return is_hex(seen.md5, 32) ? seen.md5 : std::string_view{};
}

void check(const Stanza& stanza, const Package& package, const Seen& seen) {
    for (const auto& [name, member] : kTextFields)
        if ((package.*member).empty() && (member == &Package::name || member == &Package::version ||
                                          member == &Package::architecture || member == &Package::filename))
            stanza.required(name);
    if (!seen.size)
        stanza.required("Size");
    if (!seen.sha256 && package.weak_digest.empty())
        stanza.required("SHA256");
    if (!is_package_name(package.name))
        throw bad_field(*seen.name, "is not a package name");
    if (!is_version(package.version))
        throw bad_field(*seen.version, "is not a version");
    if (!stays_inside(package.filename))
        throw bad_field(*seen.filename, "leads out of the repository");
}

Package read_package(const Stanza& stanza, Digests digests) {
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
    if (!seen.sha256 && digests == Digests::weak_too)
        package.weak_digest = weak_digest_of(seen);
    check(stanza, package, seen);
    return package;
}

std::vector<Package> read_part(std::string_view text, Digests digests) {
    std::vector<Package> packages;
    packages.reserve(text.size() / 600);  // a stanza of Debian's has 700 bytes
    StanzaReader reader(text);
    for (Stanza stanza; reader.next(stanza);) packages.push_back(read_package(stanza, digests));
    return packages;
}

// Parts of about equal size that begin with a stanza each. An empty line always separates stanzas.
std::vector<std::string_view> parts_of(std::string_view text) {
    constexpr std::size_t kWorthAThread = 1 << 20;
    const auto count =
        std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), 1 + text.size() / kWorthAThread);
    std::vector<std::string_view> parts;
    for (auto left = count; left > 1; --left) {
        const auto gap = text.find("\n\n", text.size() / left);
        if (gap == std::string_view::npos)
            break;
        parts.push_back(text.substr(0, gap + 2));
        text.remove_prefix(gap + 2);
    }
    parts.push_back(text);
    return parts;
}

}  // namespace

std::vector<std::vector<Package>> read_packages(std::string_view text, Digests digests) {
    const auto parts = parts_of(text);
    std::vector<std::future<std::vector<Package>>> others;
    for (std::size_t i = 1; i < parts.size(); ++i)
        others.push_back(std::async(std::launch::async, read_part, parts[i], digests));
    std::vector<std::vector<Package>> read;
    try {
        read.push_back(read_part(parts[0], digests));
        for (auto& other : others) read.push_back(other.get());
    } catch (const Error&) {
        read_part(text, digests);  // once more as a whole, for the number of the line
        throw;
    }
    return read;
}

}  // namespace vprov::deb
