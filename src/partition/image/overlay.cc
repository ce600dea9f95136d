#include "partition/image/overlay.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <set>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"

namespace vprov::partition {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kCluster = 64 << 10;
constexpr std::uint64_t kEntries = kCluster / 8;           // of an L1 or L2 table or the refcount table, in a cluster
constexpr std::uint64_t kCounts = kCluster / 2;            // of a refcount block
constexpr std::uint64_t kCopied = std::uint64_t{1} << 63;  // the cluster has one reference
constexpr std::uint64_t kReadsAsZeros = 1;                 // without a cluster of its own
constexpr std::uint32_t kBackingFormat = 0xE2792ACA;       // header extension
constexpr std::uint32_t kHeader = 104;
constexpr std::string_view kRaw = "raw";

std::uint64_t clusters_for(std::uint64_t count, std::uint64_t in_one) {
    return (count + in_one - 1) / in_one;
}

template <class Number>
void append(std::string& bytes, Number number) {
    for (int shift = (static_cast<int>(sizeof number) - 1) * 8; shift >= 0; shift -= 8)
        bytes += static_cast<char>(number >> shift & 0xff);
}

[[noreturn]] void fail(std::string_view verb, const fs::path& file) {
    throw system_error(ErrorKind::disk, errno, fmt::format("cannot {} {}", verb, quote(file.native())));
}

bool is_zero(const std::vector<char>& bytes) {
    return std::ranges::all_of(bytes, [](char byte) { return byte == 0; });
}

// Where everything is in the file, in clusters: header, refcount table and blocks, L1 table, L2 tables, data.
struct Places {
    std::uint64_t refcount_table = 1, refcount_table_size = 1, refcount_blocks = 1, l1_size = 1, l1 = 0, l2 = 0,
                  data = 0, end = 0;

    Places(std::uint64_t guest_clusters, std::uint64_t l2_tables, std::uint64_t data_clusters) {
        l1_size = std::max<std::uint64_t>(1, clusters_for(guest_clusters, kEntries));  // entries
        for (;;) {
            l1 = refcount_table + refcount_table_size + refcount_blocks;
            l2 = l1 + clusters_for(l1_size, kEntries);
            data = l2 + l2_tables;
            end = data + data_clusters;
            const auto blocks = clusters_for(end, kCounts), table = clusters_for(blocks, kEntries);
            if (blocks <= refcount_blocks && table <= refcount_table_size)
                return;
            refcount_blocks = std::max(blocks, refcount_blocks);
            refcount_table_size = std::max(table, refcount_table_size);
        }
    }
};

std::string header(const Places& places, std::uint64_t size, const std::string& backing) {
    std::string extension;
    append(extension, kBackingFormat);
    append(extension, static_cast<std::uint32_t>(kRaw.size()));
    extension += kRaw;
    extension.resize((extension.size() + 7) / 8 * 8, '\0');
    extension.append(8, '\0');  // the end of the extensions
    std::string bytes = "QFI\xfb";
    append(bytes, std::uint32_t{3});
    append(bytes, static_cast<std::uint64_t>(kHeader + extension.size()));
    append(bytes, static_cast<std::uint32_t>(backing.size()));
    append(bytes, std::uint32_t{16});  // bits of a cluster
    append(bytes, size);
    append(bytes, std::uint32_t{0});  // not encrypted
    append(bytes, static_cast<std::uint32_t>(places.l1_size));
    append(bytes, places.l1 * kCluster);
    append(bytes, places.refcount_table * kCluster);
    append(bytes, static_cast<std::uint32_t>(places.refcount_table_size));
    append(bytes, std::uint32_t{0});  // snapshots, and where they are
    append(bytes, std::uint64_t{0});
    for (int features = 0; features < 3; ++features) append(bytes, std::uint64_t{0});
    append(bytes, std::uint32_t{4});  // bits of a reference count, as a power of 2
    append(bytes, kHeader);
    return bytes + extension + backing;
}

// A cluster of the guest's disk that differs from the base.
struct Changed {
    std::uint64_t number = 0;
    bool zero = false;
};
using ClusterReader = std::function<void(std::uint64_t number, std::vector<char>& bytes)>;

class Writer {
  public:
    Writer(const fs::path& file, std::uint64_t size, const std::vector<Changed>& changed)
        : name_(file),
          fd_(os::open_file(file, O_RDWR | O_CREAT | O_EXCL, 0600)),
          size_(size),
          changed_(changed),
          places_(clusters_for(size, kCluster), count_tables(), count_data()) {}

    void run(const std::string& backing, const ClusterReader& read) {
        put(0, header(places_, size_, backing));
        put_refcounts();
        put_maps();
        std::vector<char> bytes(kCluster);
        auto place = places_.data;
        for (const auto& cluster : changed_)
            if (!cluster.zero) {
                read(cluster.number, bytes);
                put(place++, {bytes.data(), bytes.size()});
            }
        if (::ftruncate(fd_.get(), static_cast<off_t>(places_.end * kCluster)) != 0)
            fail("write", name_);
    }

  private:
    std::uint64_t count_tables() const {
        std::set<std::uint64_t> tables;
        for (const auto& cluster : changed_) tables.insert(cluster.number / kEntries);
        return tables.size();
    }
    std::uint64_t count_data() const {
        return static_cast<std::uint64_t>(
            std::ranges::count_if(changed_, [](const Changed& cluster) { return !cluster.zero; }));
    }

    void put(std::uint64_t cluster, std::string_view bytes) const {
        if (::lseek(fd_.get(), static_cast<off_t>(cluster * kCluster), SEEK_SET) < 0)
            fail("write", name_);
        os::write_all(fd_.get(), bytes, name_.native());
    }

    void put_refcounts() const {
        std::string table, counts;
        for (std::uint64_t block = 0; block < places_.refcount_blocks; ++block)
            append(table, (places_.refcount_table + places_.refcount_table_size + block) * kCluster);
        for (std::uint64_t cluster = 0; cluster < places_.end; ++cluster) append(counts, std::uint16_t{1});
        put(places_.refcount_table, table);
        put(places_.refcount_table + places_.refcount_table_size, counts);
    }

    void put_maps() const {
        std::vector<std::uint64_t> l1(places_.l1_size, 0);
        auto table_place = places_.l2, data_place = places_.data;
        for (std::size_t i = 0; i < changed_.size();) {
            const auto table = changed_[i].number / kEntries;
            std::vector<std::uint64_t> l2(kEntries, 0);
            for (; i < changed_.size() && changed_[i].number / kEntries == table; ++i)
                l2[changed_[i].number % kEntries] =
                    changed_[i].zero ? kReadsAsZeros : data_place++ * kCluster | kCopied;
            put_table(table_place, l2);
            l1[table] = table_place++ * kCluster | kCopied;
        }
        put_table(places_.l1, l1);
    }

    void put_table(std::uint64_t cluster, const std::vector<std::uint64_t>& entries) const {
        std::string bytes;
        for (const auto entry : entries) append(bytes, entry);
        put(cluster, bytes);
    }

    fs::path name_;
    os::Fd fd_;
    std::uint64_t size_;
    const std::vector<Changed>& changed_;
    Places places_;
};

void write_file(const fs::path& file, std::uint64_t size, const std::vector<Changed>& changed,
                const std::string& backing, const ClusterReader& read) {
    try {
        Writer(file, size, changed).run(backing, read);
    } catch (...) {
        std::error_code ignored;
        fs::remove(file, ignored);
        throw;
    }
}

}  // namespace

Overlay::Overlay(const fs::path& base) : base_(base, RawImage::Access::reading) {}

void Overlay::read(std::uint64_t offset, char* bytes, std::size_t count) const {
    while (count > 0) {
        const auto within = offset % kCluster;
        const auto part = std::min<std::size_t>(count, kCluster - within);
        if (const auto found = clusters_.find(offset / kCluster); found != clusters_.end())
            std::memcpy(bytes, found->second.data() + within, part);
        else
            base_.read(offset, bytes, part);
        bytes += part;
        offset += part;
        count -= part;
    }
}

std::vector<char>& Overlay::changed(std::uint64_t cluster) {
    const auto [place, is_new] = clusters_.try_emplace(cluster);
    if (is_new) {
        place->second.resize(kCluster);
        base_.read(cluster * kCluster, place->second.data(), kCluster);
    }
    return place->second;
}

void Overlay::write(std::uint64_t offset, std::string_view bytes) {
    if (offset + bytes.size() > size().value)
        throw error(ErrorKind::internal, "internal error: an overlay is written behind its end");
    while (!bytes.empty()) {
        const auto within = offset % kCluster;
        const auto part = bytes.substr(0, kCluster - within);
        std::memcpy(changed(offset / kCluster).data() + within, part.data(), part.size());
        offset += part.size();
        bytes.remove_prefix(part.size());
    }
}

std::uint64_t Overlay::next_data(std::uint64_t offset) const {
    const auto next = base_.next_data(offset);
    const auto cluster = clusters_.lower_bound(offset / kCluster);
    return cluster == clusters_.end() ? next : std::min(next, std::max(offset, cluster->first * kCluster));
}

void Overlay::save(const fs::path& file, const std::string& backing) const {
    std::vector<Changed> list;
    std::vector<char> before(kCluster);
    for (const auto& [number, bytes] : clusters_) {
        base_.read(number * kCluster, before.data(), kCluster);
        if (bytes != before)
            list.push_back({number, is_zero(bytes)});
    }
    write_file(file, size().value, list, backing,
               [&](std::uint64_t number, std::vector<char>& bytes) { bytes = clusters_.at(number); });
}

void write_overlay(const fs::path& raw, const fs::path& base, const fs::path& file, const std::string& backing) {
    const RawImage ours(raw, RawImage::Access::reading), theirs(base, RawImage::Access::reading);
    std::vector<Changed> list;
    std::vector<char> now(kCluster), before(kCluster);
    for (std::uint64_t offset = 0;; offset += kCluster) {
        const auto data = std::min(ours.next_data(offset), theirs.next_data(offset));
        if (data >= ours.size().value)
            break;
        offset = data / kCluster * kCluster;
        ours.read(offset, now.data(), kCluster);
        theirs.read(offset, before.data(), kCluster);
        if (now != before)
            list.push_back({offset / kCluster, is_zero(now)});
    }
    write_file(file, ours.size().value, list, backing, [&](std::uint64_t number, std::vector<char>& bytes) {
        ours.read(number * kCluster, bytes.data(), kCluster);
    });
}

}  // namespace vprov::partition
