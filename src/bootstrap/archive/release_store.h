// InRelease files as they were fetched last, in CACHE/releases: a server that knows what it sent says that nothing has
// changed instead of sending it again. What comes from here is verified like what comes from there.
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
    Validator validator;
};

class ReleaseStore {
  public:
    ReleaseStore(const Cache& cache, std::string_view url);
    std::optional<KeptRelease> find() const;  // nullopt for none, and for a damaged one
    // Does nothing without a validator, and where the cache cannot be written.
    void keep(std::string_view data, const Validator& validator) const noexcept;

  private:
    std::filesystem::path path_;
};

}  // namespace vprov::archive
