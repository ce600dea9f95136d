#include "pipeline/tree_dates.h"

#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <memory>

#include "base/error.h"
#include "base/text.h"

namespace vprov::pipeline {
namespace {

bool is_later(const timespec& time, std::int64_t latest) {
    return time.tv_sec > latest || (time.tv_sec == latest && time.tv_nsec > 0);
}

}  // namespace

void limit_dates(const std::filesystem::path& tree, std::int64_t latest) {
    std::string root = tree.string();
    std::array<char*, 2> roots = {root.data(), nullptr};
    const std::unique_ptr<FTS, int (*)(FTS*)> walk(
        ::fts_open(roots.data(), FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, nullptr), ::fts_close);
    const std::array<timespec, 2> times = {{{latest, 0}, {latest, 0}}};
    errno = 0;
    while (auto* entry = walk ? ::fts_read(walk.get()) : nullptr) {
        if (entry->fts_info == FTS_DP)
            continue;
        if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS)
            throw system_error(ErrorKind::disk, entry->fts_errno, "cannot read " + quote(entry->fts_path));
        if (is_later(entry->fts_statp->st_mtim, latest) &&
            ::utimensat(AT_FDCWD, entry->fts_accpath, times.data(), AT_SYMLINK_NOFOLLOW) != 0)
            throw system_error(ErrorKind::disk, errno, "cannot set the time of " + quote(entry->fts_path));
        errno = 0;
    }
    if (errno != 0)
        throw system_error(ErrorKind::disk, errno, "cannot read " + quote(root));
}

}  // namespace vprov::pipeline
