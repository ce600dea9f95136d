#include "partition/compare/tree_listing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/interrupt.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

constexpr mode_t kPermissions = 07777;
constexpr std::size_t kBuffer = 1 << 20;

std::string kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFDIR:
            return "a directory";
        case S_IFLNK:
            return "a link";
        case S_IFCHR:
            return "a character device";
        case S_IFBLK:
            return "a block device";
        case S_IFIFO:
            return "a pipe";
        case S_IFSOCK:
            return "a socket";
        default:
            return "a file";
    }
}

std::string other_attribute(const ListedFile& expected, const ListedFile& found) {
    std::map<std::string, std::string> left;
    for (const auto& attribute : expected.attributes) left[attribute.name] = attribute.value;
    for (const auto& attribute : found.attributes) {
        const auto known = left.find(attribute.name);
        if (known == left.end() || known->second != attribute.value)
            return attribute.name;
        left.erase(known);
    }
    return left.empty() ? "" : left.begin()->first;
}

std::string what_differs(const ListedFile& expected, const ListedFile& found) {
    if ((expected.mode & S_IFMT) != (found.mode & S_IFMT))
        return fmt::format("{}, not {}", kind_of(found.mode), kind_of(expected.mode));
    if (S_ISLNK(expected.mode) && expected.content != found.content)
        return fmt::format("a link to {}, not to {}", quote(found.content), quote(expected.content));
    if (expected.content != found.content || expected.size != found.size)
        return "content";
    if ((expected.mode & kPermissions) != (found.mode & kPermissions))
        return fmt::format("mode {:04o}, not {:04o}", found.mode & kPermissions, expected.mode & kPermissions);
    if (expected.uid != found.uid || expected.gid != found.gid)
        return fmt::format("owner {}:{}, not {}:{}", found.uid, found.gid, expected.uid, expected.gid);
    if (expected.device != found.device)
        return "another device";
    if (const auto name = other_attribute(expected, found); !name.empty())
        return "extended attribute " + name;
    if (expected.mtime != found.mtime)
        return fmt::format("time of modification {}, not {}", found.mtime, expected.mtime);
    if (expected.same_as != found.same_as)
        return "other hard links";
    return "";
}

std::string digest_of(const fs::path& path) {
    const auto file = os::open_file(path, O_RDONLY | O_NOFOLLOW);
    Hasher hasher(DigestKind::sha256);
    std::string buffer(kBuffer, '\0');
    for (;;) {
        os::check_stop();
        const auto count = ::read(file.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            throw os::unreadable(path);
        if (count == 0)
            return hasher.hex();
        hasher.update(buffer.data(), static_cast<std::size_t>(count));
    }
}

class Lister {
  public:
    void list(const fs::path& folder, const std::string& path) {
        for (const auto& name : os::sorted_names(folder)) {
            const auto place = folder / name;
            const auto status = os::status_of(place);
            auto& file = add(place, path + "/" + name, status);
            if (S_ISDIR(status.st_mode))
                list(place, path + "/" + name);
            else if (S_ISREG(status.st_mode))
                file.content = digest_of(place);
        }
    }

    TreeListing take() { return std::move(listing_); }

  private:
    ListedFile& add(const fs::path& place, const std::string& path, const struct stat& status) {
        auto& file = listing_[path];
        file.mode = status.st_mode;
        file.uid = status.st_uid;
        file.gid = status.st_gid;
        file.mtime = status.st_mtim.tv_sec;
        if (S_ISREG(status.st_mode))
            file.size = static_cast<std::uint64_t>(status.st_size);
        if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
            file.device = status.st_rdev;
        if (S_ISLNK(status.st_mode))
            file.content = fs::read_symlink(place).native();
        file.attributes = os::attributes_of(place);
        if (!S_ISDIR(status.st_mode) && status.st_nlink > 1)
            if (const auto [first, is_first] = linked_.try_emplace({status.st_dev, status.st_ino}, path); !is_first)
                file.same_as = first->second;
        return file;
    }

    TreeListing listing_;
    std::map<std::pair<dev_t, ino_t>, std::string> linked_;
};

}  // namespace

std::optional<PathDifference> first_difference(const TreeListing& expected, const TreeListing& found) {
    auto one = expected.begin();
    auto other = found.begin();
    while (one != expected.end() || other != found.end()) {
        if (other == found.end() || (one != expected.end() && one->first < other->first))
            return PathDifference{one->first, "missing"};
        if (one == expected.end() || other->first < one->first)
            return PathDifference{other->first, "should not be there"};
        if (auto what = what_differs(one->second, other->second); !what.empty())
            return PathDifference{one->first, std::move(what)};
        ++one;
        ++other;
    }
    return std::nullopt;
}

TreeListing list_tree(const fs::path& folder) {
    Lister lister;
    lister.list(folder, "");
    return lister.take();
}

}  // namespace vprov::partition
