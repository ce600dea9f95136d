#include "bootstrap/archive/release_store.h"

#include "base/error.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::archive {
namespace {

// Answers from the cache alone.
class CacheTransport : public Transport {
  public:
    explicit CacheTransport(const std::filesystem::path& cache) : releases_(Cache(cache)) {}

    void run(std::span<Transfer> transfers) override {
        for (auto& transfer : transfers) {
            const auto text = releases_.find(transfer.url);
            if (text && Bytes{text->size()} <= transfer.limit && transfer.on_data(*text))
                transfer.on_end({});
            else
                transfer.on_end({"the cache does not have it, and nothing is fetched offline", true});
        }
    }

  private:
    ReleaseStore releases_;
};

}  // namespace

std::filesystem::path ReleaseStore::path_of(std::string_view url) const {
    return directory_ / sha256(url).hex();
}

void ReleaseStore::keep(std::string_view url, std::string_view text) const {
    std::filesystem::create_directories(directory_);
    os::write_file(path_of(url), text);
}

void ReleaseStore::forget(std::string_view url) const noexcept {
    std::error_code none;
    std::filesystem::remove(path_of(url), none);
}

std::optional<std::string> ReleaseStore::find(std::string_view url) const {
    std::error_code none;
    const auto path = path_of(url);
    if (!std::filesystem::exists(path, none))
        return std::nullopt;
    return os::read_file(path);
}

std::unique_ptr<Transport> make_cache_transport(const std::filesystem::path& cache) {
    return std::make_unique<CacheTransport>(cache);
}

}  // namespace vprov::archive
