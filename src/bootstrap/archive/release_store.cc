#include "bootstrap/archive/release_store.h"

#include <array>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/temp_dir.h"

namespace vprov::archive {
namespace {

// Answers from the cache alone.
class CacheTransport : public Transport {
  public:
    explicit CacheTransport(const std::filesystem::path& cache) : cache_(cache) {}

    void run(std::span<Transfer> transfers) override {
        for (auto& transfer : transfers) {
            Transfer::Outcome outcome;
            const auto kept = ReleaseStore(cache_, transfer.url).find();
            if (!kept || Bytes{kept->data.size()} > transfer.limit || !transfer.on_data(kept->data)) {
                outcome.failure = "the cache does not have it, and nothing is fetched offline";
                outcome.missing = true;
            }
            transfer.on_end(outcome);
        }
    }

  private:
    Cache cache_;
};

}  // namespace

// The file: a line each for the digest of the data, its ETag and its date, then the data.
ReleaseStore::ReleaseStore(const Cache& cache, std::string_view url)
    : path_(cache.directory() / "releases" / sha256(url).hex().substr(0, 32)) {}

std::optional<KeptRelease> ReleaseStore::find() const {
    std::error_code none;
    if (!std::filesystem::is_regular_file(path_, none))
        return std::nullopt;
    try {
        const auto content = os::read_file(path_);
        std::string_view rest = content;
        std::array<std::string, 3> lines;
        for (auto& line : lines) {
            const auto end = rest.find('\n');
            if (end == std::string_view::npos)
                return std::nullopt;
            line = rest.substr(0, end);
            rest.remove_prefix(end + 1);
        }
        if (sha256(rest).hex() != lines[0])
            return std::nullopt;
        return KeptRelease{std::string(rest), {lines[1], lines[2]}};
    } catch (const Error&) {
        return std::nullopt;
    }
}

void ReleaseStore::keep(std::string_view data, const Validator& validator) const noexcept {
    try {
        std::filesystem::create_directories(path_.parent_path());
        os::write_file(
            path_, fmt::format("{}\n{}\n{}\n{}", sha256(data).hex(), validator.etag, validator.last_modified, data));
    } catch (const std::exception&) {
        return;
    }
}

void ReleaseStore::forget() const noexcept {
    std::error_code none;
    std::filesystem::remove(path_, none);
}

std::unique_ptr<Transport> make_cache_transport(const std::filesystem::path& cache) {
    return std::make_unique<CacheTransport>(cache);
}

}  // namespace vprov::archive
