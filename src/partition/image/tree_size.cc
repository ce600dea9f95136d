#include "partition/image/tree_size.h"

#include <fts.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace vprov::partition {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr off_t kShortLink = 59;  // such a target fits into the inode

std::uint64_t in_blocks(std::uint64_t bytes) {
    return (bytes + kBlock - 1) / kBlock * kBlock;
}

std::uint64_t data_bytes(const struct stat& status) {
    if (S_ISLNK(status.st_mode))
        return status.st_size > kShortLink ? kBlock : 0;
    if (S_ISDIR(status.st_mode))
        return std::max(kBlock, in_blocks(static_cast<std::uint64_t>(status.st_size)));
    if (!S_ISREG(status.st_mode))
        return 0;
    // st_blocks counts holes as nothing, and on a compressing file system too little
    const auto size = in_blocks(static_cast<std::uint64_t>(status.st_size));
    const auto allocated = in_blocks(static_cast<std::uint64_t>(status.st_blocks) * 512);
    return std::min(size, std::max(allocated, kBlock));
}

}  // namespace

TreeSize measure(const std::filesystem::path& tree, const std::set<std::filesystem::path>& left_out) {
    std::string root = tree.string();
    std::array<char*, 2> roots = {root.data(), nullptr};
    const std::unique_ptr<FTS, int (*)(FTS*)> walk(
        ::fts_open(roots.data(), FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, nullptr), ::fts_close);
    if (!walk)
        throw system_error(ErrorKind::disk, errno, "cannot read " + quote(root));
    TreeSize size;
    std::set<std::pair<dev_t, ino_t>> linked;
    while (auto* entry = ::fts_read(walk.get())) {
        if (entry->fts_info == FTS_DP)
            continue;
        if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS)
            throw system_error(ErrorKind::disk, entry->fts_errno, "cannot read " + quote(entry->fts_path));
        if (entry->fts_info == FTS_D && left_out.contains(entry->fts_path))
            ::fts_set(walk.get(), entry, FTS_SKIP);
        const auto& status = *entry->fts_statp;
        size.newest = std::max<std::int64_t>(size.newest, status.st_mtime);
        if (!S_ISDIR(status.st_mode) && status.st_nlink > 1 && !linked.emplace(status.st_dev, status.st_ino).second)
            continue;
        ++size.inodes;
        size.content += Bytes{data_bytes(status)};
    }
    return size;
}

}  // namespace vprov::partition
