// What a cache holds, and keeping it within bounds. Touches the cache directory only.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "bootstrap/archive/archive.h"

namespace vprov::archive {

constexpr std::string_view kUserPrefix = "use-";  // of the directories in DIR/users

enum class EntryKind { package, package_list, data_copy, index, layer };
std::string_view name(EntryKind kind);  // "package", "package list", "data copy", "index", "layer"

struct CacheEntry {
    EntryKind kind = EntryKind::package;
    std::filesystem::path path;
    Bytes size;                  // of a directory: of all files in it
    std::int64_t last_used = 0;  // nanoseconds since the epoch
    bool operator==(const CacheEntry&) const = default;
};

// Those used longest ago first. What cannot be read, or goes away meanwhile, is left out. A file of .deb form counts as
// package, another file that was fetched as package list.
std::vector<CacheEntry> entries_of(const Cache& cache);

struct PruneLimits {
    std::optional<Bytes> size;                // what the entries may have in all
    std::optional<std::chrono::seconds> age;  // since they were used last
};

struct Pruned {
    std::vector<CacheEntry> removed, kept;
    std::size_t in_use = 0;  // kept only because something that runs has used them
};

// Removes what is older than the age, and then what was used longest ago until the rest is within the size; never what
// was used since the oldest running process that has this cache open opened it. Also removes what dead processes left
// in DIR/partial and DIR/users. What cannot be removed is kept. Throws Error(disk) when the cache cannot be locked.
Pruned prune(const Cache& cache, const PruneLimits& limits);

// Whether an entry is what it was when it was published: by its digest. Layers are judged by `is_intact_layer`, and
// taken as intact without it.
using LayerCheck = std::function<bool(const std::filesystem::path&)>;
bool is_intact(const CacheEntry& entry, const LayerCheck& is_intact_layer = {});

// Checks all of them on all cores and removes those that are damaged, which it returns. A later build fetches or makes
// them again. Throws Error(interrupted) on a stop request.
std::vector<CacheEntry> remove_damaged(const Cache& cache, const LayerCheck& is_intact_layer = {});

}  // namespace vprov::archive
