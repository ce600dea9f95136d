// PackageIndex::save() and restore(): a header, then arrays of plain numbers, then all texts.
#include <cstring>
#include <future>
#include <type_traits>

#include "bootstrap/deb/package_fields.h"
#include "bootstrap/deb/package_index_state.h"

namespace vprov::deb {
namespace {

constexpr std::size_t kFields = kKeptTexts.size();

struct Header {
    std::uint64_t magic;
    std::uint32_t record_size, packages, releases, stanzas;
    std::uint32_t names, slots, starts, versions, providers, reserved;
    std::uint64_t text;
};
constexpr std::uint64_t kMagic = 0x0100'7865'646e'4956 + kSnapshotFormat;

// A package without its texts, which follow one another in the order of kKeptTexts.
struct Record {
    std::uint64_t text;  // where its first text begins
    std::uint64_t size, installed_size, releases_with_it;
    Sha256Digest sha256;
    std::array<std::uint32_t, kFields> lengths;
    std::uint32_t release, order;
    std::uint8_t essential, important;
    std::array<std::uint8_t, 6> reserved;
};
static_assert(std::is_trivially_copyable_v<Record>);

struct NamePlace {
    std::uint32_t text, length;
};

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// The next `count` values of `bytes`; more than there are is an empty vector and ends the reading.
class ArrayReader {
  public:
    explicit ArrayReader(std::string_view bytes) : rest_(bytes) {}
    template <class T>
    std::vector<T> take(std::size_t count) {
        std::vector<T> values;
        if (count > rest_.size() / sizeof(T)) {
            failed_ = true;
            return values;
        }
        values.resize(count);
        if (count > 0)
            std::memcpy(values.data(), rest_.data(), count * sizeof(T));
        rest_.remove_prefix(count * sizeof(T));
        return values;
    }
    bool failed() const { return failed_; }
    std::string_view rest() const { return rest_; }

  private:
    std::string_view rest_;
    bool failed_ = false;
};

Record record_of(const Package& package, std::string& text) {
    Record record{};
    record.text = text.size();
    for (std::size_t i = 0; i < kFields; ++i) {
        const auto value = package.*kKeptTexts[i];
        record.lengths[i] = static_cast<std::uint32_t>(value.size());
        text += value;
    }
    record.size = package.size.value;
    record.installed_size = package.installed_size.value;
    record.sha256 = package.sha256;
    record.release = package.release;
    record.releases_with_it = package.releases;
    record.order = package.order;
    record.essential = package.essential ? 1 : 0;
    record.important = package.important ? 1 : 0;
    return record;
}

// False for a record that points out of `text`.
bool read_record(const Record& record, std::string_view text, Package& package) {
    if (record.text > text.size())
        return false;
    auto rest = text.substr(static_cast<std::size_t>(record.text));
    for (std::size_t i = 0; i < kFields; ++i) {
        if (record.lengths[i] > rest.size())
            return false;
        package.*kKeptTexts[i] = rest.substr(0, record.lengths[i]);
        rest.remove_prefix(record.lengths[i]);
    }
    package.size = Bytes{record.size};
    package.installed_size = Bytes{record.installed_size};
    package.sha256 = record.sha256;
    package.release = record.release;
    package.releases = record.releases_with_it;
    package.order = record.order;
    package.essential = record.essential != 0;
    package.important = record.important != 0;
    return true;
}

bool read_records(std::string_view records, std::string_view text, std::uint32_t releases,
                  std::span<Package> packages) {
    for (std::size_t i = 0; i < packages.size(); ++i) {
        Record record;
        std::memcpy(&record, records.data() + i * sizeof(Record), sizeof(Record));
        if (!read_record(record, text, packages[i]) || record.release >= releases)
            return false;
    }
    return true;
}

// On two cores: most of it is memory touched for the first time.
bool read_all_records(std::string_view records, std::string_view text, std::uint32_t releases,
                      std::vector<Package>& packages) {
    const std::span all(packages);
    const auto half = packages.size() / 2;
    auto second = std::async(std::launch::async, [&] {
        return read_records(records.substr(half * sizeof(Record)), text, releases, all.subspan(half));
    });
    const bool first = read_records(records, text, releases, all.first(half));
    return second.get() && first;
}

bool read_names(const std::vector<NamePlace>& places, std::string_view text, std::vector<std::string_view>& names) {
    names.reserve(places.size());
    for (const auto& place : places) {
        if (place.text > text.size() || place.length > text.size() - place.text)
            return false;
        names.push_back(text.substr(place.text, place.length));
    }
    return true;
}

}  // namespace

void PackageIndex::save(const std::function<void(std::string_view)>& write) const {
    const auto& state = *state_;
    std::vector<Record> records;
    std::vector<NamePlace> places;
    std::string text;
    records.reserve(state.packages.size());
    text.reserve(state.packages.size() * 400);
    for (const auto& package : state.packages) records.push_back(record_of(package, text));
    places.reserve(state.names.size());
    for (const auto name : state.names.names()) {
        places.push_back({static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(name.size())});
        text += name;
    }
    const auto count = [](const auto& values) { return static_cast<std::uint32_t>(values.size()); };
    const Header header{kMagic,
                        sizeof(Record),
                        count(records),
                        count(state.releases),
                        state.stanzas,
                        count(places),
                        count(state.names.slots()),
                        count(state.versions.starts()),
                        count(state.versions.numbers()),
                        count(state.providers.numbers()),
                        0,
                        text.size()};
    write({reinterpret_cast<const char*>(&header), sizeof(header)});
    write(bytes_of(records));
    write(bytes_of(places));
    write(bytes_of(state.names.slots()));
    for (const auto* groups : {&state.versions, &state.providers}) {
        write(bytes_of(groups->starts()));
        write(bytes_of(groups->numbers()));
    }
    write(text);
}

std::optional<PackageIndex> PackageIndex::restore(Architectures architectures, std::vector<Release> releases,
                                                  std::string_view bytes, std::shared_ptr<const void> owner) {
    Header header{};
    if (bytes.size() < sizeof(header))
        return std::nullopt;
    std::memcpy(&header, bytes.data(), sizeof(header));
    bytes.remove_prefix(sizeof(header));
    if (header.magic != kMagic || header.record_size != sizeof(Record) || header.releases != releases.size() ||
        header.packages > bytes.size() / sizeof(Record) || header.text > bytes.size())
        return std::nullopt;
    const auto records = bytes.substr(0, header.packages * sizeof(Record));
    const auto text = bytes.substr(bytes.size() - static_cast<std::size_t>(header.text));
    ArrayReader arrays(bytes.substr(records.size()));
    const auto places = arrays.take<NamePlace>(header.names);
    auto slots = arrays.take<std::uint32_t>(header.slots);
    auto version_starts = arrays.take<std::uint32_t>(header.starts);
    auto version_numbers = arrays.take<std::uint32_t>(header.versions);
    auto provider_starts = arrays.take<std::uint32_t>(header.starts);
    auto provider_numbers = arrays.take<std::uint32_t>(header.providers);
    if (arrays.failed() || arrays.rest().size() != header.text)
        return std::nullopt;
    PackageIndex index(std::move(architectures));
    auto& state = *index.state_;
    state.packages.resize(header.packages);
    std::vector<std::string_view> names;
    if (!read_all_records(records, text, header.releases, state.packages) || !read_names(places, text, names) ||
        !state.names.restore(std::move(names), std::move(slots)) ||
        !state.versions.restore(state.packages, header.names, std::move(version_starts), std::move(version_numbers)) ||
        !state.providers.restore(state.packages, header.names, std::move(provider_starts), std::move(provider_numbers)))
        return std::nullopt;
    state.releases = std::move(releases);
    state.stanzas = header.stanzas;
    state.snapshot = std::move(owner);
    return index;
}

}  // namespace vprov::deb
