// The order in which apt comes to know package names: its last tie-break between two providers. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "bootstrap/deb/package_index.h"

namespace vprov::resolve {

// apt numbers a package when its name is first met, which is more often in some other package's relations than in its
// own stanza. The texts are read only as far as a question needs.
class CreationOrder {
  public:
    explicit CreationOrder(const deb::PackageIndex& index) : index_(index) {}
    // Both must be names in the index.
    bool is_before(std::string_view a, std::string_view b);

  private:
    void meet(std::string_view name) { rank_.try_emplace(name, static_cast<std::uint32_t>(rank_.size())); }
    void read_next_package();
    void meet_all(std::string_view relations, bool provides);

    const deb::PackageIndex& index_;
    std::unordered_map<std::string_view, std::uint32_t> rank_;
    std::size_t next_ = 0;  // package to be read
};

}  // namespace vprov::resolve
