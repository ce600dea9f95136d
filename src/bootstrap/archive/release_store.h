// InRelease, Release and Release.gpg as they were verified last, in CACHE/releases: what a build without a network
// starts from, and what lets a server that knows what it sent say that nothing has changed. What comes from here is
// verified like what comes from there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "bootstrap/archive/archive.h"
#include "bootstrap/archive/transport.h"

namespace vprov::archive {

struct KeptRelease {
    std::string data;
    Validator validator;  // empty where the server gave none
};

class ReleaseStore {
  public:
    explicit ReleaseStore(const Cache& cache) : directory_(cache.directory() / "releases") {}
    // Only for what was verified. Throws Error(disk).
    void keep(std::string_view url, std::string_view data, const Validator& validator) const;
    void forget(std::string_view url) const noexcept;             // the archive has it no longer
    std::optional<KeptRelease> find(std::string_view url) const;  // nullopt for none, and for a damaged one

  private:
    std::filesystem::path path_of(std::string_view url) const;
    std::filesystem::path directory_;
};

}  // namespace vprov::archive
