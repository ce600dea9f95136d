#include "bootstrap/archive/release_store.h"

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"
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
            const auto kept = releases_.find(transfer.url);
            if (kept && Bytes{kept->data.size()} <= transfer.limit && transfer.on_data(kept->data))
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

// The file: a line each for the digest of the data, its ETag and its date, then the data.
void ReleaseStore::keep(std::string_view url, std::string_view data, const Validator& validator) const {
    std::error_code problem;
    std::filesystem::create_directories(directory_, problem);
    if (problem)
        throw system_error(ErrorKind::disk, problem.value(), "cannot make directory " + quote(directory_.native()));
    os::write_file(path_of(url),
                   fmt::format("{}\n{}\n{}\n{}", sha256(data).hex(), validator.etag, validator.last_modified, data));
}

void ReleaseStore::forget(std::string_view url) const noexcept {
    std::error_code none;
    std::filesystem::remove(path_of(url), none);
}

std::optional<KeptRelease> ReleaseStore::find(std::string_view url) const {
    std::error_code none;
    const auto path = path_of(url);
    if (!std::filesystem::is_regular_file(path, none))
        return std::nullopt;
    const auto content = os::read_file(path);
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
}

std::unique_ptr<Transport> make_cache_transport(const std::filesystem::path& cache) {
    return std::make_unique<CacheTransport>(cache);
}

}  // namespace vprov::archive
