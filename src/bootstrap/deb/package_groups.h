// Look-up in a package index: names to groups, and groups to the packages that belong to them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "bootstrap/deb/package_index.h"

namespace vprov::deb {

// Numbers the names in the order in which they are met. Views borrow; slots hold numbers only, so that a table can be
// written to a file and read again: its hash must not change without kSnapshotFormat.
class NameTable {
  public:
    std::uint32_t number_of(std::string_view name);  // a new one if the name is new
    std::optional<std::uint32_t> find(std::string_view name) const;
    void reserve(std::size_t names);
    std::size_t size() const { return names_.size(); }

    const std::vector<std::string_view>& names() const { return names_; }
    const std::vector<std::uint32_t>& slots() const { return slots_; }
    // False, and nothing done, unless `slots` are as slots() of a table of that many names can be.
    bool restore(std::vector<std::string_view> names, std::vector<std::uint32_t> slots);

  private:
    std::size_t slot_of(std::string_view name) const;  // where it is, or where it would go
    void grow(std::size_t slots);
    std::vector<std::string_view> names_;
    std::vector<std::uint32_t> slots_;  // a power of two of them: a name's number plus one, or 0
};

// Per group (a name) the packages that belong to it, side by side in one array.
class Groups {
  public:
    void add(std::uint32_t group, std::uint32_t package) { members_.push_back({group, package}); }

    // Members of a group keep the order in which they were added.
    void arrange(std::span<const Package> packages, std::size_t group_count);

    // As of when they were last arranged; nothing for a younger group.
    std::span<const Package* const> of(std::uint32_t group) const { return part(arranged_, group); }
    std::span<const std::uint32_t> numbers_of(std::uint32_t group) const { return part(numbers_, group); }

    const std::vector<std::uint32_t>& starts() const { return starts_; }
    const std::vector<std::uint32_t>& numbers() const { return numbers_; }
    // False unless the arrays are as starts() and numbers() of groups of these packages can be. Nothing can be added
    // afterwards.
    bool restore(std::span<const Package> packages, std::size_t group_count, std::vector<std::uint32_t> starts,
                 std::vector<std::uint32_t> numbers);

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

}  // namespace vprov::deb
