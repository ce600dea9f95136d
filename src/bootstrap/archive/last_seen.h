// When the Release file seen last was made: an older one later is a replay, even with a good signature.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "bootstrap/archive/archive.h"

namespace vprov::archive {

// One number per repository and suite in CACHE/seen, kept by every build that shares the cache.
class LastSeen {
  public:
    LastSeen(const Cache& cache, std::string_view uri, std::string_view suite);
    std::optional<std::int64_t> date() const;  // seconds since the epoch
    // Remembers the later one of `date` and what is known. Throws Error(disk).
    void remember(std::int64_t date) const;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace vprov::archive
