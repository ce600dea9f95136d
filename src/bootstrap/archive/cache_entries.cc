#include "bootstrap/archive/cache_entries.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <limits>
#include <mutex>
#include <thread>
#include <tuple>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/incoming.h"
#include "bootstrap/archive/index_store.h"
#include "os/interrupt.h"

namespace vprov::archive {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t kNanoseconds = 1'000'000'000;

std::int64_t used_at(const struct stat& status) {
    return status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec;
}

std::vector<fs::path> children_of(const fs::path& directory) {
    std::vector<fs::path> children;
    std::error_code failure;
    for (fs::directory_iterator entry(directory, failure), end; !failure && entry != end; entry.increment(failure))
        if (!entry->path().filename().native().starts_with('.'))
            children.push_back(entry->path());
    return children;
}

Bytes size_of_tree(const fs::path& directory) {
    Bytes size;
    std::error_code failure;
    for (fs::recursive_directory_iterator entry(directory, failure), end; !failure && entry != end;
         entry.increment(failure)) {
        struct stat status {};
        if (::lstat(entry->path().c_str(), &status) == 0 && S_ISREG(status.st_mode))
            size += Bytes{static_cast<std::uint64_t>(std::min<off_t>(status.st_size, status.st_blocks * 512))};
    }
    return size;
}

bool is_deb(const fs::path& path) {
    constexpr std::string_view kMagic = "!<arch>\ndebian-binary";
    std::array<char, kMagic.size()> begin{};
    const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    return fd.is_open() && ::read(fd.get(), begin.data(), begin.size()) == static_cast<ssize_t>(begin.size()) &&
           std::string_view(begin.data(), begin.size()) == kMagic;
}

void add_entry(EntryKind kind, const fs::path& path, std::vector<CacheEntry>& entries) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)))
        return;
    const auto size = S_ISDIR(status.st_mode) ? size_of_tree(path) : Bytes{static_cast<std::uint64_t>(status.st_size)};
    entries.push_back({kind, path, size, used_at(status)});
}

// When the oldest process that still has the cache open opened it; the end of time for none.
std::int64_t oldest_use(const Cache& cache) {
    auto oldest = std::numeric_limits<std::int64_t>::max();
    for (const auto& user : children_of(cache.directory() / "users")) {
        struct stat status {};
        if (::lstat(user.c_str(), &status) == 0)
            oldest = std::min(oldest, used_at(status));
    }
    return oldest;
}

// At once for everybody who looks: a directory first leaves its place by one rename.
bool remove_entry(const CacheEntry& entry, Incoming& incoming) {
    if (::unlink(entry.path.c_str()) == 0)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return errno == ENOENT;
    const auto aside = incoming.new_path();
    if (::rename(entry.path.c_str(), aside.c_str()) != 0)
        return false;
    os::remove_tree(aside);
    return true;
}

// What was fetched counts as package lists as yet: telling it from packages takes reading it.
std::vector<CacheEntry> scan(const Cache& cache) {
    std::vector<CacheEntry> entries;
    for (const auto& folder : children_of(cache.directory() / "sha256"))
        for (const auto& file : children_of(folder)) add_entry(EntryKind::package_list, file, entries);
    for (const auto& copy : children_of(cache.directory() / "data")) add_entry(EntryKind::data_copy, copy, entries);
    for (const auto& file : children_of(cache.directory() / "index")) add_entry(EntryKind::index, file, entries);
    for (const auto& layer : children_of(cache.directory() / "layers")) add_entry(EntryKind::layer, layer, entries);
    std::sort(entries.begin(), entries.end(), [](const CacheEntry& a, const CacheEntry& b) {
        return std::tie(a.last_used, a.path) < std::tie(b.last_used, b.path);
    });
    return entries;
}

// One file, named after its digest.
bool is_intact_copy(const fs::path& directory) {
    const auto files = children_of(directory);
    const auto digest = files.size() == 1 ? Sha256Digest::from_hex(files[0].filename().native()) : std::nullopt;
    return digest && is_intact(files[0], *digest);
}

void find_kind(CacheEntry& entry) {
    if (entry.kind == EntryKind::package_list && is_deb(entry.path))
        entry.kind = EntryKind::package;
}

// Beginnings of files that nobody has continued for a day.
void remove_old_partials(const Cache& cache, std::int64_t now) {
    constexpr std::int64_t kKept = 86400 * kNanoseconds;
    for (const auto& file : children_of(cache.directory() / "partial")) {
        struct stat status {};
        if (file.extension() == kPartialSuffix && ::lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
            used_at(status) < now - kKept)
            ::unlink(file.c_str());
    }
}

std::int64_t now() {
    struct timespec time {};
    ::clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * kNanoseconds + time.tv_nsec;
}

}  // namespace

std::string_view name(EntryKind kind) {
    switch (kind) {
        case EntryKind::package:
            return "package";
        case EntryKind::package_list:
            return "package list";
        case EntryKind::data_copy:
            return "data copy";
        case EntryKind::index:
            return "index";
        case EntryKind::layer:
            break;
    }
    return "layer";
}

std::vector<CacheEntry> entries_of(const Cache& cache) {
    auto entries = scan(cache);
    for (auto& entry : entries) find_kind(entry);
    return entries;
}

Pruned prune(const Cache& cache, const PruneLimits& limits) {
    Incoming incoming(cache);
    const os::FileLock lock(cache.directory() / "users/.lock", os::FileLock::Mode::exclusive);
    os::TempDir::remove_stale(cache.directory() / "users", kUserPrefix);
    remove_old_partials(cache, now());
    auto entries = scan(cache);
    const auto oldest = oldest_use(cache);
    const auto expired = limits.age ? now() - std::chrono::duration_cast<std::chrono::nanoseconds>(*limits.age).count()
                                    : std::numeric_limits<std::int64_t>::min();
    Bytes total;
    for (const auto& entry : entries) total += entry.size;
    Pruned result;
    for (auto& entry : entries) {
        const bool unwanted = entry.last_used < expired || (limits.size && total > *limits.size);
        if (unwanted && entry.last_used >= oldest)
            ++result.in_use;
        const bool removable = unwanted && entry.last_used < oldest;
        if (removable)
            find_kind(entry);
        if (removable && remove_entry(entry, incoming)) {
            total.value -= entry.size.value;
            result.removed.push_back(std::move(entry));
        } else {
            result.kept.push_back(std::move(entry));
        }
    }
    return result;
}

bool is_intact(const CacheEntry& entry, const LayerCheck& is_intact_layer) {
    switch (entry.kind) {
        case EntryKind::package:
        case EntryKind::package_list: {
            const auto digest = Sha256Digest::from_hex(entry.path.filename().native());
            return digest && is_intact(entry.path, *digest);
        }
        case EntryKind::data_copy:
            return is_intact_copy(entry.path);
        case EntryKind::index:
            return is_intact_index(entry.path);
        case EntryKind::layer:
            break;
    }
    return !is_intact_layer || is_intact_layer(entry.path);
}

std::vector<CacheEntry> remove_damaged(const Cache& cache, const LayerCheck& is_intact_layer) {
    const auto entries = entries_of(cache);
    Incoming incoming(cache);
    std::vector<CacheEntry> damaged;
    std::mutex mutex;
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (auto i = next++; i < entries.size() && !os::stop_requested(); i = next++) {
            if (is_intact(entries[i], is_intact_layer) || os::stop_requested())
                continue;
            const std::lock_guard lock(mutex);
            if (remove_entry(entries[i], incoming))
                damaged.push_back(entries[i]);
        }
    };
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work);
    }
    os::check_stop();
    std::sort(damaged.begin(), damaged.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return damaged;
}

}  // namespace vprov::archive
