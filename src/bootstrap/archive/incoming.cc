#include "bootstrap/archive/incoming.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "os/interrupt.h"

namespace vprov::archive {
namespace {
namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "fetch-";
constexpr std::size_t kReadSize = 256 << 10;

// The lock closes the gap between the making of a TempDir and its own lock, in which another process that cleans up
// would take it for a dead one's.
os::TempDir make_directory(const Cache& cache) {
    const auto parent = cache.directory() / "partial";
    const os::FileLock lock(parent / ".lock", os::FileLock::Mode::exclusive);
    os::TempDir::remove_stale(parent, kPrefix);
    return {parent, kPrefix};
}

}  // namespace

Incoming::Incoming(const Cache& cache) : directory_(make_directory(cache)) {}

fs::path Incoming::new_path() {
    return directory_.path() / fmt::format("{}", ++count_);
}

IncomingFile::~IncomingFile() {
    if (kept_.empty() || path_ != kept_ || size_ == Bytes{})
        discard();
}

// False where another process has it, or where it was published in the instant before its lock was taken.
bool IncomingFile::open_kept() {
    os::Fd fd(::open(kept_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    struct stat opened {
    }, named{};
    if (!fd.is_open() || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(fd.get(), &opened) != 0 ||
        ::lstat(kept_.c_str(), &named) != 0 || opened.st_ino != named.st_ino || !S_ISREG(named.st_mode))
        return false;
    fd_ = std::move(fd);
    path_ = kept_;
    return true;
}

Bytes IncomingFile::resume(Bytes whole) {
    struct stat status {};
    if (kept_.empty() || fd_.is_open() || ::lstat(kept_.c_str(), &status) != 0 || status.st_size == 0 || !open_kept())
        return {};
    hasher_.emplace(DigestKind::sha256);
    std::vector<char> buffer(kReadSize);
    for (;;) {
        const auto count = ::read(fd_.get(), buffer.data(), buffer.size());
        if (count < 0 || size_ + Bytes{static_cast<std::uint64_t>(count)} >= whole) {
            discard();
            return {};
        }
        if (count == 0)
            return size_;
        hasher_->update(buffer.data(), static_cast<std::size_t>(count));
        size_ += Bytes{static_cast<std::uint64_t>(count)};
    }
}

void IncomingFile::open() {
    hasher_.emplace(DigestKind::sha256);
    size_ = Bytes{};
    if (!kept_.empty() && open_kept()) {
        if (::ftruncate(fd_.get(), 0) != 0)
            throw system_error(ErrorKind::disk, errno, "cannot write " + quote(path_.native()));
        return;
    }
    kept_.clear();
    fd_ = os::open_file(path_, O_WRONLY | O_CREAT | O_TRUNC, 0644);
}

void IncomingFile::write(std::string_view portion) {
    if (!fd_.is_open())
        open();
    try {
        os::write_all(fd_.get(), portion, path_.native());
    } catch (const Error&) {
        discard();  // a full disk is not to be kept full
        throw;
    }
    hasher_->update(portion);
    size_ += Bytes{portion.size()};
}

void IncomingFile::discard() noexcept {
    if (!fd_.is_open())
        return;
    fd_.reset();
    ::unlink(path_.c_str());
    size_ = Bytes{};
}

Sha256Digest IncomingFile::digest() {
    if (!fd_.is_open())
        open();
    return hasher_->sha256();
}

void IncomingFile::publish(const Cache& cache, const Sha256Digest& digest) {
    if (!fd_.is_open())
        open();
    const auto entry = cache.path_of(digest);
    std::error_code problem;
    fs::create_directories(entry.parent_path(), problem);
    if (problem || ::rename(path_.c_str(), entry.c_str()) != 0)
        throw system_error(ErrorKind::disk, problem ? problem.value() : errno, "cannot write " + quote(entry.native()));
    fd_.reset();
}

bool is_intact(const fs::path& path, const Sha256Digest& digest) {
    const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<char> buffer(kReadSize);
    Hasher hasher(DigestKind::sha256);
    while (fd.is_open() && !os::stop_requested()) {
        const auto count = ::read(fd.get(), buffer.data(), buffer.size());
        if (count == 0)
            return hasher.sha256() == digest;
        if (count > 0)
            hasher.update(buffer.data(), static_cast<std::size_t>(count));
        else if (errno != EINTR)
            return false;
    }
    return false;
}

}  // namespace vprov::archive
