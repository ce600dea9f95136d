#include "pipeline/tree_changes.h"

#include <fts.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

constexpr unsigned kPermissions = 07777;

bool has_other_content(const struct stat& a, const struct stat& b) {
    return a.st_ino != b.st_ino || a.st_size != b.st_size || a.st_mtim.tv_sec != b.st_mtim.tv_sec ||
           a.st_mtim.tv_nsec != b.st_mtim.tv_nsec || (a.st_mode & S_IFMT) != (b.st_mode & S_IFMT);
}

bool has_other_attributes(const struct stat& a, const struct stat& b) {
    return a.st_mode != b.st_mode || a.st_uid != b.st_uid || a.st_gid != b.st_gid;
}

TreeChange change(TreeChange::Kind kind, const std::string& path, const struct stat& now) {
    return {kind, path, now.st_mode & kPermissions, now.st_uid, now.st_gid, ""};
}

TreeChange rewritten(const fs::path& tree, const std::string& path, const struct stat& now) {
    const auto place = tree / fs::path(path).relative_path();
    if (S_ISREG(now.st_mode)) {
        auto made = change(TreeChange::Kind::file, path, now);
        made.content = os::read_file(place);
        return made;
    }
    if (!S_ISLNK(now.st_mode))
        throw error(ErrorKind::internal, "internal error: {} is no file, link or directory", quote(path));
    auto made = change(TreeChange::Kind::link, path, now);
    made.content = fs::read_symlink(place).native();
    return made;
}

}  // namespace

TreeSnapshot snapshot_of(const fs::path& tree) {
    TreeSnapshot found;
    std::string root = tree.string();
    std::array<char*, 2> roots = {root.data(), nullptr};
    const std::unique_ptr<FTS, int (*)(FTS*)> walk(
        ::fts_open(roots.data(), FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, nullptr), ::fts_close);
    while (auto* entry = walk ? ::fts_read(walk.get()) : nullptr) {
        if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS)
            throw system_error(ErrorKind::disk, entry->fts_errno, "cannot read " + quote(entry->fts_path));
        if (entry->fts_info != FTS_DP && entry->fts_level > 0)
            found.emplace(std::string_view(entry->fts_path).substr(root.size()), *entry->fts_statp);
    }
    return found;
}

std::vector<TreeChange> changes_since(const TreeSnapshot& before, const fs::path& tree) {
    const auto now = snapshot_of(tree);
    std::vector<TreeChange> changes;
    for (auto entry = before.rbegin(); entry != before.rend(); ++entry)
        if (!now.contains(entry->first))
            changes.push_back({TreeChange::Kind::removed, entry->first, 0, 0, 0, ""});
    for (const auto& [path, status] : now) {
        const auto earlier = before.find(path);
        const bool is_new = earlier == before.end();
        if (S_ISDIR(status.st_mode)) {
            if (is_new || !S_ISDIR(earlier->second.st_mode))
                changes.push_back(change(TreeChange::Kind::directory, path, status));
            else if (has_other_attributes(earlier->second, status))
                changes.push_back(change(TreeChange::Kind::attributes, path, status));
        } else if (is_new || has_other_content(earlier->second, status)) {
            changes.push_back(rewritten(tree, path, status));
        } else if (has_other_attributes(earlier->second, status)) {
            changes.push_back(change(TreeChange::Kind::attributes, path, status));
        }
    }
    return changes;
}

}  // namespace vprov::pipeline
