// Release files as they were verified last, in CACHE/releases: what a build without a network starts from.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bootstrap/archive/archive.h"

namespace vprov::archive {

class ReleaseStore {
  public:
    explicit ReleaseStore(const Cache& cache) : directory_(cache.directory() / "releases") {}
    // Only for what was verified: a later build without a network verifies it again. Throws Error(disk).
    void keep(std::string_view url, std::string_view text) const;
    void forget(std::string_view url) const noexcept;  // the archive has it no longer
    std::optional<std::string> find(std::string_view url) const;

  private:
    std::filesystem::path path_of(std::string_view url) const;
    std::filesystem::path directory_;
};

}  // namespace vprov::archive
