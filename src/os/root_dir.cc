#include "os/root_dir.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/text.h"

namespace vprov::os {
namespace {

int open_in_root(int root, const std::string& path, int flags, mode_t mode) {
    struct open_how how {};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.mode = (flags & O_CREAT) ? mode : 0;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    for (;;) {
        const auto fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
        // EAGAIN: a rename elsewhere in the tree raced with the look-up of a ".."
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            return static_cast<int>(fd);
    }
}

std::string inside(std::string_view path) {
    while (path.starts_with("/") || path.starts_with("./")) path.remove_prefix(path[0] == '/' ? 1 : 2);
    return path.empty() ? "." : std::string(path);
}

Error failure(std::string_view verb, std::string_view path) {
    return system_error(ErrorKind::disk, errno, fmt::format("cannot {} {} in the guest's tree", verb, quote(path)));
}

bool is_missing() {
    return errno == ENOENT || errno == ENOTDIR;
}

}  // namespace

RootDir::RootDir(std::filesystem::path path) : path_(std::move(path)), fd_(open_file(path_, O_PATH | O_DIRECTORY)) {}

Fd RootDir::open(std::string_view path, int flags, mode_t mode) const {
    Fd fd(open_in_root(fd_.get(), inside(path), flags, mode));
    if (!fd.is_open())
        throw failure("open", path);
    return fd;
}

std::optional<Fd> RootDir::open_if_exists(std::string_view path, int flags) const {
    Fd fd(open_in_root(fd_.get(), inside(path), flags, 0));
    if (fd.is_open())
        return fd;
    if (is_missing())
        return std::nullopt;
    throw failure("open", path);
}

std::optional<struct stat> RootDir::status(std::string_view path) const {
    const auto fd = open_if_exists(path, O_PATH | O_NOFOLLOW);
    struct stat status {};
    if (!fd || ::fstat(fd->get(), &status) != 0)
        return std::nullopt;
    return status;
}

std::string RootDir::read(std::string_view path) const {
    return read_file(open(path, O_RDONLY), path);
}

std::optional<std::string> RootDir::read_if_exists(std::string_view path) const {
    const auto fd = open_if_exists(path, O_RDONLY);
    if (!fd)
        return std::nullopt;
    return read_file(*fd, path);
}

std::optional<std::string> RootDir::read_link(std::string_view path) const {
    const auto fd = open_if_exists(path, O_PATH | O_NOFOLLOW);
    if (!fd)
        return std::nullopt;
    std::array<char, PATH_MAX> target{};
    const auto size = ::readlinkat(fd->get(), "", target.data(), target.size());
    if (size < 0)
        return std::nullopt;
    return std::string(target.data(), static_cast<std::size_t>(size));
}

RootDir::Place RootDir::parent_of(std::string_view path) const {
    const auto clean = inside(path);
    const auto slash = clean.rfind('/');
    const auto folder = slash == std::string::npos ? std::string(".") : clean.substr(0, slash);
    return {open(folder, O_PATH | O_DIRECTORY), slash == std::string::npos ? clean : clean.substr(slash + 1)};
}

void RootDir::make_directories(std::string_view path) const {
    const auto clean = inside(path);
    for (std::size_t end = 0; end != std::string::npos;) {
        end = clean.find('/', end + 1);
        const auto part = clean.substr(0, end);
        if (part == "." || open_if_exists(part, O_PATH | O_DIRECTORY))
            continue;
        const auto place = parent_of(part);
        // The mode is set apart from the making: a caller's umask has no say in the guest.
        if ((::mkdirat(place.directory.get(), place.name.c_str(), 0755) != 0 && errno != EEXIST) ||
            ::fchmodat(place.directory.get(), place.name.c_str(), 0755, 0) != 0)
            throw failure("make directory", part);
    }
}

void RootDir::write(std::string_view path, std::string_view data, mode_t mode) const {
    const auto clean = inside(path);
    if (const auto slash = clean.rfind('/'); slash != std::string::npos)
        make_directories(clean.substr(0, slash));
    const auto place = parent_of(clean);
    const auto temporary = fmt::format(".{}.vprov-new", place.name);
    {
        const Fd fd(::openat(place.directory.get(), temporary.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!fd.is_open())
            throw failure("write", path);
        write_all(fd.get(), data, path);
        if (::fchmod(fd.get(), mode) != 0)
            throw failure("set the mode of", path);
    }
    if (::renameat(place.directory.get(), temporary.c_str(), place.directory.get(), place.name.c_str()) != 0)
        throw failure("write", path);
}

void RootDir::make_link(std::string_view path, std::string_view target) const {
    const auto clean = inside(path);
    if (const auto slash = clean.rfind('/'); slash != std::string::npos)
        make_directories(clean.substr(0, slash));
    remove(clean);
    const auto place = parent_of(clean);
    if (::symlinkat(std::string(target).c_str(), place.directory.get(), place.name.c_str()) != 0)
        throw failure("link", path);
}

void RootDir::remove(std::string_view path) const {
    const auto clean = inside(path);
    const auto slash = clean.rfind('/');
    const auto folder = open_if_exists(slash == std::string::npos ? "." : clean.substr(0, slash), O_PATH | O_DIRECTORY);
    const auto name = slash == std::string::npos ? clean : clean.substr(slash + 1);
    if (folder && ::unlinkat(folder->get(), name.c_str(), 0) != 0 && !is_missing())
        throw failure("remove", path);
}

}  // namespace vprov::os
