#include "pipeline/guest_pool.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "pipeline/built_guest.h"
#include "recipe/address_range.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFile = ".pool.json", kHolder = ".pool-run-";
constexpr std::size_t kVendor = 9;  // characters of a MAC address that stay when it is counted up: "00:16:3e:"

struct Entry {
    std::string address, mac;       // "" : none
    std::set<std::string> holders;  // directories of Reservations
    bool operator==(const Entry&) const = default;
};
using Entries = std::map<std::string, Entry>;

Entries read_entries(const fs::path& output) {
    const auto file = output / kFile;
    if (!fs::exists(file))
        return {};
    try {
        Entries entries;
        const auto parsed = nlohmann::json::parse(os::read_file(file));
        for (const auto& [name, entry] : parsed.at("guests").items())
            entries[name] = {entry.value("address", ""), entry.value("mac", ""),
                             entry.value("holders", std::set<std::string>{})};
        return entries;
    } catch (const nlohmann::json::exception& e) {
        throw error(ErrorKind::disk, "cannot read {}: {}", quote(file.native()), e.what());
    }
}

void write_entries(const fs::path& output, const Entries& entries) {
    if (entries.empty()) {
        fs::remove(output / kFile);
        return;
    }
    auto guests = nlohmann::ordered_json::object();
    for (const auto& [name, entry] : entries)
        guests[name] = {{"address", entry.address}, {"mac", entry.mac}, {"holders", entry.holders}};
    const nlohmann::ordered_json file = {{"format", 1}, {"guests", guests}};
    os::write_file(output / kFile, file.dump(2) + "\n");
}

// What a process that was killed while it wrote has left. Under the lock.
void remove_half_written(const fs::path& output) {
    const auto prefix = fmt::format(".{}.", kFile);
    for (const auto& entry : fs::directory_iterator(output))
        if (entry.path().filename().native().starts_with(prefix))
            fs::remove(entry.path());
}

// Whoever was killed holds nothing.
void drop_stale(const fs::path& output, Entries& entries) {
    for (auto& [name, entry] : entries)
        std::erase_if(entry.holders, [&](const auto& holder) { return !os::FileLock::is_held(output / holder); });
    std::erase_if(entries, [&](const auto& item) {
        return item.second.holders.empty() && !fs::exists(output / item.first / "manifest.json");
    });
}

// What a guest has already and may keep under this recipe.
bool fits(const Entry& entry, const recipe::Recipe& recipe) {
    const auto& wanted = recipe.numbered_guests;
    if (wanted.addresses.empty() != entry.address.empty() || wanted.macs.empty() != entry.mac.empty())
        return false;
    if (entry.mac.substr(0, kVendor) != wanted.macs.substr(0, kVendor))
        return false;
    if (entry.address.empty())
        return true;
    const auto range = recipe::parse_address_range(wanted.addresses);
    const auto now = recipe::parse_cidr(entry.address);
    return range && now && now->prefix == range->prefix && now->address.family == range->first.family &&
           !is_after(range->first, now->address) && !is_after(now->address, range->last);
}

class Range {
  public:
    explicit Range(const recipe::Recipe& recipe) : recipe_(recipe) {
        const auto& text = recipe.numbered_guests.addresses;
        range_ = text.empty() ? std::nullopt : recipe::parse_address_range(text);
        if (!recipe.networks.empty())
            for (const auto& gateway : recipe.networks.front().gateway) take(gateway, "");
        if (range_)
            next_ = range_->first;
    }

    bool is_free(const Entry& entry) const {
        return !addresses_.contains(plain(entry.address)) && !macs_.contains(entry.mac);
    }

    void take(const std::string& address, const std::string& mac) {
        if (!address.empty())
            addresses_.insert(plain(address));
        if (!mac.empty())
            macs_.insert(mac);
    }

    // "" where the recipe has no range.
    std::string take_address(const std::string& guest) {
        if (!range_)
            return {};
        for (; !is_after(next_, range_->last); next_ = recipe::next_address(next_)) {
            if (addresses_.insert(recipe::text_of(next_)).second)
                return fmt::format("{}/{}", recipe::text_of(next_), range_->prefix);
            if (next_ == range_->last)
                break;
        }
        throw error(ErrorKind::recipe, "{}: cannot give {} an address: all of {} are taken", recipe_.file.native(),
                    quote(guest), quote(recipe_.numbered_guests.addresses));
    }

    std::string take_mac() {
        const auto& first = recipe_.numbered_guests.macs;
        for (std::uint32_t step = 0; !first.empty(); ++step)
            if (auto mac = recipe::mac_after(first, step); macs_.insert(mac).second)
                return mac;
        return {};
    }

  private:
    // Without a prefix, and as it is always written.
    static std::string plain(const std::string& address) {
        const auto text = address.substr(0, address.find('/'));
        const auto read = recipe::parse_address(text);
        return read ? recipe::text_of(*read) : text;
    }

    const recipe::Recipe& recipe_;
    std::optional<recipe::AddressRange> range_;
    recipe::Address next_;
    std::set<std::string> addresses_, macs_;
};

recipe::ListedGuest guest_of(const std::string& name, const Entry& entry) {
    recipe::ListedGuest guest{name, std::nullopt, {}, std::nullopt};
    if (!entry.address.empty())
        guest.address.push_back(entry.address);
    if (!entry.mac.empty())
        guest.mac = entry.mac;
    return guest;
}

// Of the first interface, which is the one that the pool gives an address to.
Entry entry_of(const BuiltGuest& guest, const recipe::NumberedGuests& wanted) {
    return {wanted.addresses.empty() || guest.addresses.empty() ? "" : guest.addresses.front(),
            wanted.macs.empty() || guest.macs.empty() ? "" : guest.macs.front(),
            {}};
}

// Enters what the named guests have, and then what those lack that have nothing that they may keep.
void fill(Entries& entries, const std::vector<std::string>& names, const recipe::Recipe& recipe,
          const std::vector<BuiltGuest>& built) {
    for (const auto& name : names)
        if (const auto found = entries.find(name); found != entries.end() && !fits(found->second, recipe))
            entries.erase(found);
    Range range(recipe);
    for (const auto& [name, entry] : entries) range.take(entry.address, entry.mac);
    const std::set<std::string> wanted(names.begin(), names.end());
    for (const auto& guest : built) {
        auto entry = entry_of(guest, recipe.numbered_guests);
        const bool keeps = wanted.contains(guest.name) && fits(entry, recipe) && range.is_free(entry);
        for (const auto& address : guest.addresses) range.take(address, "");
        for (const auto& mac : guest.macs) range.take("", mac);
        if (keeps)
            entries.emplace(guest.name, std::move(entry));
    }
    for (const auto& name : names)
        if (!entries.contains(name)) {
            auto address = range.take_address(name);
            entries[name] = {std::move(address), range.take_mac(), {}};
        }
}

}  // namespace

namespace {

// What no guest has come of is free as soon as nobody holds it.
std::shared_ptr<os::TempDir> hold(const fs::path& output) {
    return {new os::TempDir(output, kHolder), [output](os::TempDir* held) {
                delete held;
                try {
                    drop_stale_reservations(output);
                } catch (const Error&) {  // the next command sees to it
                }
            }};
}

}  // namespace

Reservation reserve(const recipe::Recipe& recipe, const fs::path& output, PoolUse use) {
    Reservation reservation;
    std::optional<os::FileLock> lock;
    if (use == PoolUse::take) {
        fs::create_directories(output);
        lock.emplace(output, os::FileLock::Mode::exclusive);
        os::TempDir::remove_stale(output, kHolder);
        remove_half_written(output);
    }
    auto entries = read_entries(output);
    drop_stale(output, entries);
    std::vector<std::string> names;
    const auto& wanted = recipe.numbered_guests;
    for (unsigned i = 0; i < wanted.count; ++i) names.push_back(recipe::numbered_name(wanted.name, wanted.first + i));
    fill(entries, names, recipe, built_guests(output));
    if (use == PoolUse::take)
        reservation.held = hold(output);
    for (const auto& name : names) {
        auto& entry = entries.at(name);
        if (reservation.held)
            entry.holders.insert(reservation.held->path().parent_path().filename());
        reservation.guests.push_back(guest_of(name, entry));
    }
    if (use == PoolUse::take)
        write_entries(output, entries);
    return reservation;
}

void release(const fs::path& output, const std::string& guest) {
    if (!fs::exists(output / kFile))
        return;
    const os::FileLock lock(output, os::FileLock::Mode::exclusive);
    auto entries = read_entries(output);
    const auto count = entries.size();
    drop_stale(output, entries);
    if (const auto found = entries.find(guest); found != entries.end() && found->second.holders.empty())
        entries.erase(found);  // else it is being built again
    if (entries.size() != count)
        write_entries(output, entries);
}

void drop_stale_reservations(const fs::path& output) {
    const os::FileLock lock(output, os::FileLock::Mode::exclusive);
    os::TempDir::remove_stale(output, kHolder);
    remove_half_written(output);
    if (!fs::exists(output / kFile))
        return;
    const auto before = read_entries(output);
    auto entries = before;
    drop_stale(output, entries);
    if (entries != before)
        write_entries(output, entries);
}

}  // namespace vprov::pipeline
