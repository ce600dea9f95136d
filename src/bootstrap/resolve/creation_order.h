// The order in which apt comes to know packages: its last tie-break between two providers. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bootstrap/deb/package_index.h"

namespace vprov::resolve {

// apt numbers a package when its name is first met, which is more often in some other package's relations than in its
// own stanza. The texts are read only as far as a question needs.
class CreationOrder {
  public:
    explicit CreationOrder(const deb::PackageIndex& index) : index_(index), rank_(index.architectures().size()) {}
    // Both must be names in the index, of that architecture (its number).
    bool is_before(std::string_view a, std::string_view b, std::size_t architecture);

  private:
    enum class Field { positive, negative, provides };
    void meet(std::string_view name, std::size_t architecture) {
        rank_[architecture].try_emplace(name, static_cast<std::uint32_t>(rank_[architecture].size()));
    }
    bool is_met(std::string_view name) const;
    void read_next_package();
    void meet_all(std::string_view relations, const deb::Package& package, Field field);
    void meet_one(std::string_view name, std::string_view qualifier, const deb::Package& package, Field field);

    const deb::PackageIndex& index_;
    std::vector<std::unordered_map<std::string_view, std::uint32_t>> rank_;  // by architecture
    std::size_t next_ = 0;                                                   // package to be read
};

}  // namespace vprov::resolve
