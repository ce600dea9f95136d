#include "os/temp_dir.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/text.h"
#include "os/interrupt.h"

namespace vprov::os {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kTemplate = "XXXXXX";

bool locked_by_another(int fd) {
    return ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

// ext4 gives files inodes of their directory's group, and walks past each that was freed in the last minutes
// (recently_deleted() in fs/ext4/ialloc.c, Linux 6.1): a tree made where one was just removed takes several times as
// long. With this flag a directory in it, by its name, gets a group of its own. Other file systems refuse it.
void spread_children(int directory) {
    int flags = 0;
    if (::ioctl(directory, FS_IOC_GETFLAGS, &flags) != 0)
        return;
    flags |= FS_TOPDIR_FL;
    ::ioctl(directory, FS_IOC_SETFLAGS, &flags);
}

}  // namespace

TempDir::TempDir(const fs::path& parent, std::string_view prefix) {
    // Made under another name: remove_stale() of another process must not see it before its lock is taken.
    std::string name = (parent / fmt::format("{}new-{}", prefix, kTemplate)).native();
    if (!::mkdtemp(name.data()))
        throw system_error(ErrorKind::disk, errno, "cannot make a work directory in " + quote(parent.native()));
    lock_ = open_file(name, O_RDONLY | O_DIRECTORY);
    ::flock(lock_.get(), LOCK_EX | LOCK_NB);
    outer_ = parent / (std::string(prefix) + name.substr(name.size() - kTemplate.size()));
    if (::renameat2(AT_FDCWD, name.c_str(), AT_FDCWD, outer_.c_str(), RENAME_NOREPLACE) != 0) {
        const int why = errno;
        ::rmdir(name.c_str());
        outer_.clear();
        throw system_error(ErrorKind::disk, why, "cannot make a work directory in " + quote(parent.native()));
    }
    path_ = outer_ / outer_.filename().native().substr(prefix.size());
    spread_children(lock_.get());
    if (::mkdir(path_.c_str(), 0700) != 0) {
        const int why = errno;
        ::rmdir(outer_.c_str());
        outer_.clear();
        throw system_error(ErrorKind::disk, why, "cannot make a work directory in " + quote(parent.native()));
    }
}

TempDir::TempDir(TempDir&& other) noexcept
    : outer_(std::move(other.outer_)), path_(std::move(other.path_)), lock_(std::move(other.lock_)) {
    other.outer_.clear();
}

TempDir::~TempDir() {
    if (!outer_.empty())
        remove_tree(outer_);
}

void TempDir::remove_stale(const fs::path& parent, std::string_view prefix) {
    std::error_code none;
    std::vector<fs::path> stale;
    for (const auto& entry : fs::directory_iterator(parent, none)) {
        const auto name = entry.path().filename().native();
        if (name.size() == prefix.size() + kTemplate.size() && name.starts_with(prefix) && entry.is_directory(none) &&
            !entry.is_symlink(none))
            stale.push_back(entry.path());
    }
    for (const auto& path : stale) {
        const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (fd.is_open() && !locked_by_another(fd.get()))
            remove_tree(path);
    }
}

void remove_tree(const fs::path& path) noexcept {
    std::error_code ignored;
    fs::remove_all(path, ignored);
}

NewFile::NewFile(fs::path path, mode_t mode) : path_(std::move(path)) {
    std::string name = (path_.parent_path() / fmt::format(".{}.{}", path_.filename().native(), kTemplate)).native();
    fd_ = Fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd_.is_open())
        throw system_error(ErrorKind::disk, errno, "cannot create " + quote(path_.native()));
    temporary_ = name;
    ::fchmod(fd_.get(), mode);
}

NewFile::~NewFile() {
    if (!temporary_.empty())
        ::unlink(temporary_.c_str());
}

void NewFile::commit() {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot write " + quote(path_.native()));
    temporary_.clear();
    fd_.reset();
}

void write_file(const fs::path& path, std::string_view data, mode_t mode) {
    NewFile file(path, mode);
    file.write(data);
    file.commit();
}

FileLock::FileLock(const fs::path& path, Mode mode)
    : fd_(fs::is_directory(path) ? open_file(path, O_RDONLY | O_DIRECTORY) : open_file(path, O_RDWR | O_CREAT, 0644)) {
    const int operation = mode == Mode::shared ? LOCK_SH : LOCK_EX;
    while (::flock(fd_.get(), operation | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            throw system_error(ErrorKind::disk, errno, "cannot lock " + quote(path.native()));
        check_stop();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

bool FileLock::is_held(const fs::path& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return fd.is_open() && locked_by_another(fd.get());
}

}  // namespace vprov::os
