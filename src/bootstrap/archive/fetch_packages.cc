#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/archive.h"
#include "bootstrap/archive/cache_entries.h"
#include "bootstrap/archive/incoming.h"
#include "bootstrap/archive/url.h"
#include "os/interrupt.h"

namespace vprov::archive {
namespace {

using Packages = std::vector<const deb::Package*>;

std::string name_of(const deb::Package& package) {
    return fmt::format("{} {}", package.name, package.version);
}

// Counts what is here and tells Progress and the caller. All calls come from the fetching thread.
class Deliveries {
  public:
    Deliveries(const Packages& packages, Progress& progress, const OnDebFile& on_file)
        : progress_(progress), on_file_(on_file) {
        state_.packages_total = packages.size();
        for (const auto* package : packages) state_.bytes_total += package->size;
    }

    void advance(const deb::Package& package, std::int64_t bytes) {
        state_.bytes_done.value += static_cast<std::uint64_t>(bytes);
        report(package);
    }

    void complete(DebFile file) {
        ++state_.packages_done;
        report(*file.package);
        files_.push_back(std::move(file));
        if (on_file_)
            on_file_(files_.back());
    }

    std::vector<DebFile> take() { return std::move(files_); }

  private:
    void report(const deb::Package& package) {
        const auto detail = name_of(package);
        state_.detail = detail;
        progress_.advanced(Stage::fetch, state_);
        state_.detail = {};
    }

    Progress& progress_;
    const OnDebFile& on_file_;
    StageProgress state_;
    std::vector<DebFile> files_;
};

// Hashes cache entries on all cores; next() hands them out as they are done.
class CacheCheck {
  public:
    struct Result {
        const deb::Package* package;
        std::filesystem::path path;
        std::optional<Sha256Digest> digest;
        bool intact;
    };

    CacheCheck(const Packages& packages, const Cache& cache) : packages_(packages), cache_(cache) {
        const auto cores = std::max(1U, std::thread::hardware_concurrency());
        for (std::size_t i = 0; i < std::min<std::size_t>(cores, packages.size()); ++i)
            threads_.emplace_back([this] { work(); });
    }

    ~CacheCheck() { next_ = packages_.size(); }  // what is not begun is not wanted any more
    CacheCheck(const CacheCheck&) = delete;
    CacheCheck& operator=(const CacheCheck&) = delete;

    Result next() {  // as often as there are packages
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [this] { return !results_.empty(); });
        auto result = std::move(results_.front());
        results_.pop_front();
        return result;
    }

  private:
    void work() {
        for (std::size_t i = next_++; i < packages_.size(); i = next_++) {
            const auto* package = packages_[i];
            const auto digest = cache_.digest_of(*package);
            auto path = cache_.path_of(digest.value_or(package->sha256));
            const bool intact = digest && is_intact(path, *digest);
            const std::lock_guard lock(mutex_);
            results_.push_back({package, std::move(path), digest, intact});
            ready_.notify_one();
        }
    }

    const Packages& packages_;
    const Cache& cache_;
    std::atomic<std::size_t> next_{0};
    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<Result> results_;
    std::vector<std::jthread> threads_;  // the last member: joined before what they use goes
};

// Delivers what the cache holds undamaged; returns what has to be fetched.
Packages take_cached(const Packages& packages, const Cache& cache, Deliveries& deliveries) {
    Packages present, missing;
    {
        const auto unpruned = cache.hold();
        for (const auto* package : packages) {
            const auto digest = cache.digest_of(*package);
            (digest && cache.find(*digest, package->size) ? present : missing).push_back(package);
        }
    }
    CacheCheck check(present, cache);
    for (std::size_t i = 0; i < present.size(); ++i) {
        auto result = check.next();
        os::check_stop();
        if (!result.intact) {
            missing.push_back(result.package);
            continue;
        }
        deliveries.advance(*result.package, static_cast<std::int64_t>(result.package->size.value));
        deliveries.complete({result.package, std::move(result.path), *result.digest, true});
    }
    return missing;
}

// One .deb on its way.
struct Arrival {
    const deb::Package* package;
    std::string url;
    IncomingFile file;
    Sha256Digest digest;                  // of what came
    std::string mismatch;                 // why what came is not the package; "" if it is
    std::vector<std::string> other_urls;  // where it may be found, too
    bool is_elsewhere = false;            // this url does not have it, but there are others

    Arrival(const deb::Package* what, std::string from, std::filesystem::path path, std::filesystem::path kept)
        : package(what), url(std::move(from)), file(std::move(path), std::move(kept)) {}
};

std::string mismatch_of_weak(const Arrival& arrival) {
    const auto listed = arrival.package->weak_digest;
    const bool is_md5 = listed.size() == 32;
    const auto hex = hex_digest(is_md5 ? DigestKind::md5 : DigestKind::sha1, os::read_file(arrival.file.path()));
    if (hex == listed)
        return {};
    return fmt::format("its {} is {}, the index says {}", is_md5 ? "MD5" : "SHA-1", hex, listed);
}

std::string mismatch_of(Arrival& arrival) {
    if (arrival.file.size() != arrival.package->size)
        return fmt::format("it has {} bytes, the index says {}", arrival.file.size().value,
                           arrival.package->size.value);
    arrival.digest = arrival.file.digest();
    if (!arrival.package->weak_digest.empty())
        return mismatch_of_weak(arrival);
    if (arrival.digest != arrival.package->sha256)
        return fmt::format("its SHA-256 is {}, the index says {}", arrival.digest.hex(), arrival.package->sha256.hex());
    return {};
}

// Where a .deb that did not arrive in whole waits for the next run; "" where its SHA-256 is not known.
std::filesystem::path kept_path(const Cache& cache, const deb::Package& package) {
    if (!package.weak_digest.empty())
        return {};
    return cache.directory() / "partial" / (package.sha256.hex() + std::string(kPartialSuffix));
}

class Fetching {
  public:
    Fetching(Transport& transport, const Cache& cache, Deliveries& deliveries)
        : transport_(transport), cache_(cache), deliveries_(deliveries) {}

    // What came but is not what the index says is left in `arrivals`.
    void run(std::list<Arrival>& arrivals, Transfer::Source source) {
        std::vector<Transfer> transfers;
        transfers.reserve(arrivals.size());
        for (auto& arrival : arrivals) transfers.push_back(transfer_of(arrival, source));
        transport_.run(transfers);
        std::erase_if(arrivals, [](const Arrival& arrival) { return arrival.mismatch.empty(); });
    }

  private:
    Transfer transfer_of(Arrival& arrival, Transfer::Source source) {
        Transfer transfer;
        transfer.url = arrival.url;
        transfer.limit = arrival.package->size;
        transfer.source = source;
        transfer.resume_at = arrival.file.resume(arrival.package->size);
        if (transfer.resume_at != Bytes{})
            deliveries_.advance(*arrival.package, static_cast<std::int64_t>(transfer.resume_at->value));
        transfer.on_data = [this, &arrival](std::string_view portion) {
            arrival.file.write(portion);
            deliveries_.advance(*arrival.package, static_cast<std::int64_t>(portion.size()));
            return true;
        };
        transfer.on_restart = [this, &arrival] { forget(arrival); };
        transfer.on_end = [this, &arrival](const Transfer::Outcome& outcome) { ended(arrival, outcome); };
        return transfer;
    }

    void forget(Arrival& arrival) {
        deliveries_.advance(*arrival.package, -static_cast<std::int64_t>(arrival.file.size().value));
        arrival.file.discard();
    }

    void ended(Arrival& arrival, const Transfer::Outcome& outcome) {
        if (outcome.missing && !arrival.other_urls.empty()) {
            arrival.is_elsewhere = true;
            arrival.mismatch = outcome.failure;
            return forget(arrival);
        }
        if (!outcome.failure.empty() && !outcome.may_pass)
            arrival.file.discard();
        if (!outcome.failure.empty())
            throw error(ErrorKind::archive, "cannot fetch {} from {}: {}", name_of(*arrival.package),
                        shown_url(arrival.url), outcome.failure);
        arrival.mismatch = mismatch_of(arrival);
        if (!arrival.mismatch.empty()) {
            forget(arrival);
            return;
        }
        arrival.file.publish(cache_, arrival.digest);
        cache_.remember_digest(*arrival.package, arrival.digest);
        deliveries_.complete({arrival.package, cache_.path_of(arrival.digest), arrival.digest, false});
    }

    Transport& transport_;
    const Cache& cache_;
    Deliveries& deliveries_;
};

// False when there is none that could be had from another place.
bool turn_elsewhere(std::list<Arrival>& arrivals) {
    bool turned = false;
    for (auto& arrival : arrivals) {
        if (!arrival.is_elsewhere)
            continue;
        arrival.url = std::move(arrival.other_urls.front());
        arrival.other_urls.erase(arrival.other_urls.begin());
        arrival.is_elsewhere = false;
        turned = true;
    }
    return turned;
}

std::list<Arrival> arrivals_of(const Packages& packages, const deb::PackageIndex& index,
                               const std::vector<std::string>& other_mirrors, Incoming& incoming, const Cache& cache) {
    std::list<Arrival> arrivals;
    for (const auto* package : packages) {
        auto& arrival =
            arrivals.emplace_back(package, url_of(index.releases()[package->release].uri, package->filename),
                                  incoming.new_path(), kept_path(cache, *package));
        for (const auto& mirror : other_mirrors) {
            auto url = url_of(mirror, package->filename);
            auto& others = arrival.other_urls;
            if (url != arrival.url && std::find(others.begin(), others.end(), url) == others.end())
                others.push_back(std::move(url));
        }
    }
    return arrivals;
}

}  // namespace

std::vector<DebFile> fetch_packages(const deb::PackageIndex& index, const std::vector<const deb::Package*>& packages,
                                    Transport& transport, Cache& cache, Progress& progress, const OnDebFile& on_file,
                                    const std::vector<std::string>& other_mirrors) {
    Deliveries deliveries(packages, progress, on_file);
    auto missing = take_cached(packages, cache, deliveries);
    if (missing.empty())
        return deliveries.take();
    std::stable_sort(missing.begin(), missing.end(), [](const auto* a, const auto* b) { return a->size > b->size; });
    Incoming incoming(cache);
    auto arrivals = arrivals_of(missing, index, other_mirrors, incoming, cache);
    Fetching fetching(transport, cache, deliveries);
    do fetching.run(arrivals, Transfer::Source::any);
    while (turn_elsewhere(arrivals));
    if (!arrivals.empty())  // a cache on the way may hold an old or damaged copy
        fetching.run(arrivals, Transfer::Source::origin);
    if (!arrivals.empty())
        throw error(ErrorKind::archive, "cannot accept {} from {}: {}", name_of(*arrivals.front().package),
                    shown_url(arrivals.front().url), arrivals.front().mismatch);
    prune(cache, {Cache::default_bound(), std::nullopt});
    return deliveries.take();
}

}  // namespace vprov::archive
