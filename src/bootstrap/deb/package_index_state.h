// What a PackageIndex owns. Private to package_index.cc and index_snapshot.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bootstrap/deb/package_groups.h"
#include "bootstrap/deb/package_index.h"

namespace vprov::deb {

struct PackageIndex::State {
    Architectures architectures;
    explicit State(Architectures all) : architectures(std::move(all)) {}
    std::vector<std::unique_ptr<const std::string>> texts;  // one by one: views outlive a vector that grows
    std::shared_ptr<const void> snapshot;                   // what views borrow from in a restored index
    std::vector<Release> releases;
    std::vector<Package> packages;
    NameTable names;
    Groups versions, providers;
    std::uint32_t stanzas = 0;

    std::span<const Package* const> members(const Groups& groups, std::string_view name) const {
        const auto found = names.find(name);
        return found ? groups.of(*found) : std::span<const Package* const>{};
    }
    void read(std::string text);
    bool kept_already(const Package& package, std::uint32_t group);
    void append(const Package& package, std::uint32_t group);
};

}  // namespace vprov::deb
