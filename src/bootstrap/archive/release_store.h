// Release files and signatures as they were verified last, in CACHE/releases: a server that knows what it sent says
// that nothing has changed instead of sending it again, and a build without a network starts from them. What comes from
// here is verified like what comes from there.
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
    // Does nothing where the cache cannot be written.
    void keep(std::string_view data, const Validator& validator) const noexcept;
    void forget() const noexcept;  // the archive has it no longer

  private:
    std::filesystem::path path_;
};

}  // namespace vprov::archive
