#include "os/linked_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.h"
#include "os/tree_files.h"

namespace vprov::os {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const fs::path& path) {
    throw system_error(ErrorKind::disk, errno, "cannot link " + quote(path.native()));
}

void link_directory(const fs::path& from, const fs::path& to, const std::string& below, const WantedPath& wanted) {
    const auto status = status_of(from);
    if (::mkdir(to.c_str(), 0700) != 0)
        fail(to);
    for (const auto& name : sorted_names(from)) {
        const auto path = below.empty() ? name : below + "/" + name;
        if (!wanted(path))
            continue;
        if (S_ISDIR(status_of(from / name).st_mode))
            link_directory(from / name, to / name, path, wanted);
        else if (::linkat(AT_FDCWD, (from / name).c_str(), AT_FDCWD, (to / name).c_str(), 0) != 0)
            fail(from / name);
    }
    if (::geteuid() == 0 && ::lchown(to.c_str(), status.st_uid, status.st_gid) != 0)
        fail(to);
    const std::array<struct timespec, 2> times = {status.st_atim, status.st_mtim};
    if (::chmod(to.c_str(), status.st_mode & 07777) != 0 ||
        ::utimensat(AT_FDCWD, to.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
        fail(to);
}

}  // namespace

void link_tree(const fs::path& from, const fs::path& to, const WantedPath& wanted) {
    link_directory(from, to, "", wanted);
}

}  // namespace vprov::os
