#include "pipeline/join_directories.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"

namespace vprov::pipeline {
namespace {

std::vector<std::string> names_in(const os::Fd& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> handle(::fdopendir(::dup(folder.get())), ::closedir);
    std::vector<std::string> names;
    while (const auto* entry = handle ? ::readdir(handle.get()) : nullptr)
        if (const std::string_view name = entry->d_name; name != "." && name != "..")
            names.emplace_back(name);
    return names;
}

bool is_directory(int folder, const std::string& name) {
    struct stat status {};
    return ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

class Joining {
  public:
    explicit Joining(std::filesystem::path to) : to_(std::move(to)) {}

    void join(const os::Fd& from, const os::Fd& to, const std::filesystem::path& below) const {
        for (const auto& name : names_in(from)) move(from, to, name, below / name);
        struct stat status {
        }, there{};
        ::fstat(from.get(), &status);
        ::fstat(to.get(), &there);
        if (there.st_dev != status.st_dev)  // a mount point: what is mounted has an owner of its own
            return;
        const std::array<timespec, 2> times = {status.st_atim, status.st_mtim};
        if (::fchown(to.get(), status.st_uid, status.st_gid) != 0 || ::fchmod(to.get(), status.st_mode & 07777) != 0 ||
            ::futimens(to.get(), times.data()) != 0)
            throw failure(below);
    }

  private:
    void move(const os::Fd& from, const os::Fd& to, const std::string& name, const std::filesystem::path& shown) const {
        if (::renameat2(from.get(), name.c_str(), to.get(), name.c_str(), RENAME_NOREPLACE) == 0)
            return;
        if (errno != EEXIST)
            throw failure(shown);
        const bool ours = is_directory(from.get(), name), theirs = is_directory(to.get(), name);
        if (ours && theirs)
            return join(open_folder(from, name, shown), open_folder(to, name, shown), shown);
        if (ours != theirs)
            throw error(ErrorKind::disk, "cannot move the tree to {}: {} is there, and {} directory",
                        quote(to_.native()), quote(shown.native()), theirs ? "it is a" : "it is no");
        if (::renameat(from.get(), name.c_str(), to.get(), name.c_str()) != 0 && errno != EBUSY)
            throw failure(shown);
    }

    os::Fd open_folder(const os::Fd& folder, const std::string& name, const std::filesystem::path& shown) const {
        os::Fd opened(::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!opened.is_open())
            throw failure(shown);
        return opened;
    }

    Error failure(const std::filesystem::path& shown) const {
        return system_error(ErrorKind::disk, errno,
                            fmt::format("cannot move {} to {}", quote(shown.native()), quote(to_.native())));
    }

    std::filesystem::path to_;
};

}  // namespace

void join_directories(const std::filesystem::path& from, const std::filesystem::path& to) {
    Joining(to).join(os::open_file(from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
                     os::open_file(to, O_RDONLY | O_DIRECTORY), "");
}

}  // namespace vprov::pipeline
