#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/archive.h"
#include "bootstrap/archive/cache_entries.h"
#include "os/user_namespace.h"

namespace vprov::archive {
namespace {
namespace fs = std::filesystem;

void make_directory(const fs::path& path) {
    std::error_code problem;
    fs::create_directories(path, problem);
    if (problem)
        throw system_error(ErrorKind::disk, problem.value(), "cannot make directory " + quote(path.native()));
}

// Root of a container may find that the host's root owns it.
bool is_writable(const char* folder) {
    return ::access(folder, W_OK) == 0;
}

}  // namespace

Cache::Cache(const fs::path& directory) : directory_(fs::absolute(directory)) {
    for (const auto* name : {"sha256", "data", "index", "partial", "seen", "users"}) make_directory(directory_ / name);
    use_ = std::make_shared<os::TempDir>(directory_ / "users", kUserPrefix);
}

fs::path Cache::default_directory() {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    if (cache && cache[0] == '/')  // relative ones are to be ignored (XDG Base Directory Specification)
        return fs::path(cache) / "vprov";
    const char* home = std::getenv("HOME");
    if (!home || home[0] != '/' || (os::caller_id() == 0 && is_writable("/var/cache")))
        return "/var/cache/vprov";
    return fs::path(home) / ".cache/vprov";
}

Bytes Cache::default_bound() {
    const char* text = std::getenv("VPROV_CACHE_SIZE");
    if (!text || !*text)
        return 10_GiB;
    if (const auto size = parse_bytes(text))
        return *size;
    throw error(ErrorKind::usage, "cannot use VPROV_CACHE_SIZE: {} is not a size such as 20G", quote(text));
}

fs::path Cache::path_of(const Sha256Digest& digest) const {
    const auto hex = digest.hex();
    return directory_ / "sha256" / hex.substr(0, 2) / hex;
}

fs::path Cache::data_copy_of(const Sha256Digest& digest) const {
    return directory_ / "data" / digest.hex();
}

std::optional<Sha256Digest> Cache::digest_of(const deb::Package& package) const {
    if (package.weak_digest.empty())
        return package.sha256;
    std::error_code none;
    const auto target = fs::read_symlink(directory_ / "weak" / package.weak_digest, none);
    return Sha256Digest::from_hex(target.filename().native());
}

void Cache::remember_digest(const deb::Package& package, const Sha256Digest& digest) const {
    if (package.weak_digest.empty())
        return;
    make_directory(directory_ / "weak");
    const auto link = directory_ / "weak" / package.weak_digest;
    const auto target = fs::path("..") / path_of(digest).lexically_relative(directory_);
    std::error_code problem;
    fs::remove(link, problem);
    fs::create_symlink(target, link, problem);
    if (problem && problem != std::errc::file_exists)  // another build was faster
        throw system_error(ErrorKind::disk, problem.value(), "cannot write " + quote(link.native()));
}

std::optional<fs::path> Cache::find(const Sha256Digest& digest, Bytes size) const {
    auto path = path_of(digest);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) ||
        static_cast<std::uint64_t>(status.st_size) != size.value)
        return std::nullopt;
    mark_used(path);
    return path;
}

void Cache::mark_used(const fs::path& entry) noexcept {
    ::utimensat(AT_FDCWD, entry.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

os::FileLock Cache::hold() const {
    return {directory_ / "users/.lock", os::FileLock::Mode::shared};
}

}  // namespace vprov::archive
