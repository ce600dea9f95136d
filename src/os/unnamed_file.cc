#include "os/unnamed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"

namespace vprov::os {
namespace fs = std::filesystem;
namespace {

fs::path directory_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

UnnamedFile::UnnamedFile(fs::path path, mode_t mode) : path_(std::move(path)) {
    struct stat status {};
    if (::lstat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        throw error(ErrorKind::disk, "cannot write {}: it is there and not a file", quote(path_.native()));
    fd_ = Fd(::open(directory_of(path_).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, mode));
    if (!fd_.is_open() && (errno == EOPNOTSUPP || errno == EISDIR)) {
        temporary_ = hidden_name();
        fd_ = Fd(::open(temporary_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode));
    }
    if (!fd_.is_open())
        throw system_error(ErrorKind::disk, errno, fmt::format("cannot create {}", quote(path_.native())));
    ::fchmod(fd_.get(), mode);
}

UnnamedFile::~UnnamedFile() {
    if (!temporary_.empty())
        ::unlink(temporary_.c_str());
}

void UnnamedFile::commit(Durability durability) {
    const auto failed = [&] {
        return system_error(ErrorKind::disk, errno, fmt::format("cannot write {}", quote(path_.native())));
    };
    if (durability == Durability::durable && ::fsync(fd_.get()) != 0)
        throw failed();
    give_name();
    if (durability == Durability::durable)
        if (const auto directory = open_file(directory_of(path_), O_RDONLY | O_DIRECTORY);
            ::fsync(directory.get()) != 0)
            throw failed();
}

// linkat(2) replaces nothing, so a name that is taken is taken over from a hidden one.
void UnnamedFile::give_name() {
    const auto failed = [&] {
        return system_error(ErrorKind::disk, errno, fmt::format("cannot write {}", quote(path_.native())));
    };
    const auto own = fmt::format("/proc/self/fd/{}", fd_.get());
    if (temporary_.empty()) {
        if (::linkat(AT_FDCWD, own.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0)
            return;
        if (errno != EEXIST)
            throw failed();
        const auto name = hidden_name();
        if (::linkat(AT_FDCWD, own.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0)
            throw failed();
        temporary_ = name;
    }
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
        throw failed();
    temporary_.clear();
}

fs::path UnnamedFile::hidden_name() const {
    return directory_of(path_) / fmt::format(".{}.{}-new", path_.filename().native(), ::getpid());
}

}  // namespace vprov::os
