// The table in which apt keeps package names, in its order: where apt sorts by something else, equals end up where a
// sort that is not stable leaves them, which depends on every name there is. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bootstrap/deb/package_index.h"

namespace vprov::resolve {

// A package as apt counts them: each name that any stanza mentions, for each architecture for which it does.
struct NameEntry {
    std::string_view name;          // "foo"; "foo:any" where a relation or a Multi-Arch: allowed package says so
    std::string_view architecture;  // never "all"; "any" for names with a qualifier
};

// Borrows from the index. Reads every relation in it: some tenths of a second for Debian.
class NameTable {
  public:
    explicit NameTable(const deb::PackageIndex& index);
    const std::vector<NameEntry>& entries() const { return entries_; }
    // Whether apt has made a package of it: one that is only asked after is none.
    bool contains(std::string_view name, std::string_view architecture) const;

  private:
    struct Member {
        NameEntry entry;
        std::uint32_t bucket;
        std::uint32_t number;  // in the order of creation
    };
    void add(std::string_view name, std::string_view architecture);
    void add_package(const deb::Package& package);
    void add_relations(const deb::Package& package, std::string_view field, bool is_negative);
    void add_provides(const deb::Package& package);
    std::string_view keep(std::string text) { return made_.emplace_back(std::move(text)); }

    const deb::PackageIndex& index_;
    std::unordered_map<std::string_view, std::vector<std::string_view>> architectures_of_;
    std::deque<std::string> made_;
    std::vector<Member> members_;
    std::vector<NameEntry> entries_;
};

}  // namespace vprov::resolve
