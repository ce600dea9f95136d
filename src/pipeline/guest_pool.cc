#include "pipeline/guest_pool.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "recipe/address_range.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFile = ".pool.json", kLock = ".pool.lock", kHolder = ".pool-run-";

struct Entry {
    std::string address, mac;  // "" : none
    std::string holder;        // the Reservation's directory
};
using Entries = std::map<std::string, Entry>;

Entries read_entries(const fs::path& output) {
    const auto file = output / kFile;
    if (!fs::exists(file))
        return {};
    try {
        Entries entries;
        for (const auto& [name, entry] : nlohmann::json::parse(os::read_file(file)).at("guests").items())
            entries[name] = {entry.value("address", ""), entry.value("mac", ""), entry.value("holder", "")};
        return entries;
    } catch (const nlohmann::json::exception& e) {
        throw error(ErrorKind::disk, "cannot read {}: {}", quote(file.native()), e.what());
    }
}

void write_entries(const fs::path& output, const Entries& entries) {
    auto guests = nlohmann::ordered_json::object();
    for (const auto& [name, entry] : entries)
        guests[name] = {{"address", entry.address}, {"mac", entry.mac}, {"holder", entry.holder}};
    const nlohmann::ordered_json file = {{"format", 1}, {"guests", guests}};
    os::write_file(output / kFile, file.dump(2) + "\n");
}

// Whoever was killed holds nothing.
void drop_stale(const fs::path& output, Entries& entries) {
    std::erase_if(entries, [&](const auto& item) {
        const auto& [name, entry] = item;
        const bool held = !entry.holder.empty() && fs::exists(output / entry.holder);
        return !held && !fs::exists(output / name);
    });
}

class Range {
  public:
    Range(const recipe::Recipe& recipe, const Entries& entries) : recipe_(recipe) {
        const auto& text = recipe.numbered_guests.addresses;
        range_ = text.empty() ? std::nullopt : recipe::parse_address_range(text);
        for (const auto& [name, entry] : entries) {
            taken_.insert(entry.address);
            macs_.insert(entry.mac);
        }
        if (!recipe.networks.empty())
            gateways_.insert(recipe.networks.front().gateway.begin(), recipe.networks.front().gateway.end());
        if (range_)
            next_ = range_->first;
    }

    // "" where the recipe has no range.
    std::string take_address(const std::string& guest) {
        if (!range_)
            return {};
        for (; !is_after(next_, range_->last); next_ = recipe::next_address(next_)) {
            const auto text = recipe::text_of(next_);
            auto address = fmt::format("{}/{}", text, range_->prefix);
            if (!gateways_.contains(text) && taken_.insert(address).second)
                return address;
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
    const recipe::Recipe& recipe_;
    std::optional<recipe::AddressRange> range_;
    recipe::Address next_;
    std::set<std::string> taken_, macs_, gateways_;
};

recipe::ListedGuest guest_of(const std::string& name, const Entry& entry) {
    recipe::ListedGuest guest{name, std::nullopt, {}, std::nullopt};
    if (!entry.address.empty())
        guest.address.push_back(entry.address);
    if (!entry.mac.empty())
        guest.mac = entry.mac;
    return guest;
}

// What a guest has already and may keep under this recipe.
bool fits(const Entry& entry, const recipe::Recipe& recipe) {
    const auto& wanted = recipe.numbered_guests;
    if (wanted.addresses.empty() != entry.address.empty() || wanted.macs.empty() != entry.mac.empty())
        return false;
    if (entry.address.empty())
        return true;
    const auto range = recipe::parse_address_range(wanted.addresses);
    const auto now = recipe::parse_cidr(entry.address);
    return range && now && now->prefix == range->prefix && !is_after(range->first, now->address) &&
           !is_after(now->address, range->last);
}

}  // namespace

Reservation reserve(const recipe::Recipe& recipe, const fs::path& output, PoolUse use) {
    Reservation reservation;
    std::optional<os::FileLock> lock;
    if (use == PoolUse::take) {
        fs::create_directories(output);
        lock.emplace(output / kLock, os::FileLock::Mode::exclusive);
        os::TempDir::remove_stale(output, kHolder);
        reservation.held = std::make_shared<os::TempDir>(output, kHolder);
    }
    auto entries = read_entries(output);
    drop_stale(output, entries);
    std::vector<std::string> names;
    const auto& wanted = recipe.numbered_guests;
    for (unsigned i = 0; i < wanted.count; ++i) names.push_back(recipe::numbered_name(wanted.name, wanted.first + i));
    for (const auto& name : names)
        if (const auto found = entries.find(name); found != entries.end() && !fits(found->second, recipe))
            entries.erase(found);
    Range range(recipe, entries);
    for (const auto& name : names) {
        if (!entries.contains(name)) {
            auto address = range.take_address(name);
            entries[name] = {std::move(address), range.take_mac(), ""};
        }
        auto& entry = entries[name];
        if (reservation.held)
            entry.holder = reservation.held->path().parent_path().filename();
        reservation.guests.push_back(guest_of(name, entry));
    }
    if (use == PoolUse::take)
        write_entries(output, entries);
    return reservation;
}

void release(const fs::path& output, const std::string& guest) {
    if (!fs::exists(output / kFile))
        return;
    const os::FileLock lock(output / kLock, os::FileLock::Mode::exclusive);
    auto entries = read_entries(output);
    if (entries.erase(guest) > 0)
        write_entries(output, entries);
}

std::string pooled_address(const fs::path& output, const std::string& guest) {
    const auto entries = read_entries(output);
    const auto found = entries.find(guest);
    return found == entries.end() ? "" : found->second.address;
}

}  // namespace vprov::pipeline
