#include "bootstrap/deb/package_groups.h"

#include <algorithm>
#include <bit>

namespace vprov::deb {
namespace {

constexpr std::size_t kFewestSlots = 16;

std::size_t hash_of(std::string_view name) {  // FNV-1a
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return static_cast<std::size_t>(hash ^ (hash >> 32));
}

}  // namespace

std::size_t NameTable::slot_of(std::string_view name) const {
    const auto mask = slots_.size() - 1;
    auto slot = hash_of(name) & mask;
    while (slots_[slot] != 0 && names_[slots_[slot] - 1] != name) slot = (slot + 1) & mask;
    return slot;
}

void NameTable::grow(std::size_t slots) {
    slots_.assign(slots, 0);
    for (std::size_t i = 0; i < names_.size(); ++i) slots_[slot_of(names_[i])] = static_cast<std::uint32_t>(i + 1);
}

void NameTable::reserve(std::size_t names) {
    names_.reserve(names);
    if (const auto wanted = std::bit_ceil(std::max(2 * names, kFewestSlots)); wanted > slots_.size())
        grow(wanted);
}

std::uint32_t NameTable::number_of(std::string_view name) {
    if (slots_.size() < 2 * (names_.size() + 1))
        grow(std::max(2 * slots_.size(), kFewestSlots));
    auto& slot = slots_[slot_of(name)];
    if (slot == 0) {
        names_.push_back(name);
        slot = static_cast<std::uint32_t>(names_.size());
    }
    return slot - 1;
}

std::optional<std::uint32_t> NameTable::find(std::string_view name) const {
    if (slots_.empty())
        return std::nullopt;
    const auto found = slots_[slot_of(name)];
    return found == 0 ? std::nullopt : std::optional(found - 1);
}

bool NameTable::restore(std::vector<std::string_view> names, std::vector<std::uint32_t> slots) {
    const auto count = names.size();
    // With no empty slot a search for a name that is not there would have no end.
    if (!slots.empty() && (!std::has_single_bit(slots.size()) || slots.size() < 2 * count))
        return false;
    if (slots.empty() && count > 0)
        return false;
    std::size_t taken = 0;
    for (const auto slot : slots) {
        if (slot > count)
            return false;
        taken += slot != 0 ? 1 : 0;
    }
    if (taken != count)
        return false;
    names_ = std::move(names);
    slots_ = std::move(slots);
    return true;
}

void Groups::arrange(std::span<const Package> packages, std::size_t group_count) {
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

bool Groups::restore(std::span<const Package> packages, std::size_t group_count, std::vector<std::uint32_t> starts,
                     std::vector<std::uint32_t> numbers) {
    if (starts.size() != group_count + 1 || starts.front() != 0 || starts.back() != numbers.size() ||
        !std::is_sorted(starts.begin(), starts.end()))
        return false;
    std::vector<const Package*> arranged;
    arranged.reserve(numbers.size());
    for (const auto number : numbers) {
        if (number >= packages.size())
            return false;
        arranged.push_back(&packages[number]);
    }
    starts_ = std::move(starts);
    numbers_ = std::move(numbers);
    arranged_ = std::move(arranged);
    return true;
}

}  // namespace vprov::deb
