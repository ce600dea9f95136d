#include "bootstrap/archive/index_store.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <future>
#include <thread>

#include "base/error.h"
#include "base/text.h"

namespace vprov::archive {
namespace {
namespace fs = std::filesystem;

// A whole file, mapped for the life of the object; empty where that is not possible.
class MappedFile {
  public:
    explicit MappedFile(const fs::path& path) {
        const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        struct stat status {};
        if (!fd.is_open() || ::fstat(fd.get(), &status) != 0 || status.st_size == 0)
            return;
        const auto size = static_cast<std::size_t>(status.st_size);
        void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd.get(), 0);
        if (address != MAP_FAILED)
            bytes_ = {static_cast<const char*>(address), size};
    }
    ~MappedFile() {
        if (!bytes_.empty())
            ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
    }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    std::string_view bytes() const { return bytes_; }

  private:
    std::string_view bytes_;
};

struct Parts {
    Sha256Digest digest;
    std::string_view index;
};

std::optional<Parts> parts_of(std::string_view bytes) {
    Parts parts;
    const auto size = parts.digest.bytes.size();
    if (bytes.size() < size)
        return std::nullopt;
    std::memcpy(parts.digest.bytes.data(), bytes.data(), size);
    parts.index = bytes.substr(size);
    return parts;
}

void write_index(const deb::PackageIndex& index, const fs::path& temporary, const fs::path& path) {
    const auto file = os::open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    Sha256Digest digest;
    os::write_all(file.get(), {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()}, path.native());
    Hasher hasher(DigestKind::sha256);
    index.save([&](std::string_view bytes) {
        hasher.update(bytes);
        os::write_all(file.get(), bytes, path.native());
    });
    digest = hasher.sha256();
    if (::pwrite(file.get(), digest.bytes.data(), digest.bytes.size(), 0) == static_cast<ssize_t>(digest.bytes.size()))
        ::rename(temporary.c_str(), path.c_str());
}

}  // namespace

IndexKey::IndexKey(const deb::Architectures& architectures)
    : text_(fmt::format("vprov index {}\n{}\n", deb::kSnapshotFormat, joined(architectures.names(), " "))) {}

void IndexKey::add_release(const deb::Release& release) {
    text_ += fmt::format("release {}\n", release.priority());
}

void IndexKey::add_file(const IndexFile& file) {
    text_ += (file.plain ? *file.plain : file.fetched).hex() + "\n";
}

Sha256Digest IndexKey::digest() const {
    return sha256(text_);
}

IndexStore::IndexStore(const Cache& cache, const IndexKey& key)
    : path_(cache.directory() / "index" / key.digest().hex()) {}

std::optional<deb::PackageIndex> IndexStore::find(const deb::Architectures& architectures,
                                                  std::vector<deb::Release> releases) const {
    const auto file = std::make_shared<const MappedFile>(path_);
    const auto parts = parts_of(file->bytes());
    if (!parts)
        return std::nullopt;
    auto digest = std::async(std::launch::async, [bytes = parts->index] { return sha256(bytes); });
    auto index = deb::PackageIndex::restore(architectures, std::move(releases), parts->index, file);
    if (!index || digest.get() != parts->digest)
        return std::nullopt;
    Cache::mark_used(path_);
    return index;
}

bool is_intact_index(const fs::path& path) {
    const MappedFile file(path);
    const auto parts = parts_of(file.bytes());
    return parts && sha256(parts->index) == parts->digest;
}

void IndexStore::keep(deb::PackageIndex& index, std::shared_ptr<Incoming> incoming) const {
    auto temporary = incoming->new_path();
    auto write = [shared = std::make_shared<deb::PackageIndex>(index.share()), incoming = std::move(incoming),
                  temporary = std::move(temporary), path = path_] {
        try {
            write_index(*shared, temporary, path);
        } catch (const Error&) {
            return;
        }
    };
    index.accompany(std::make_shared<std::future<void>>(std::async(std::launch::async, std::move(write))));
}

}  // namespace vprov::archive
