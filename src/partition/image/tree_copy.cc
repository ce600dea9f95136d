#include "partition/image/tree_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/interrupt.h"
#include "os/tree_files.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kBuffer = 1 << 20, kBlock = 4096;

Error unwritable(const fs::path& path) {
    return system_error(ErrorKind::disk, errno, "cannot write " + quote(path.native()));
}

bool is_zero(const char* data, std::size_t size) {
    return data[0] == 0 && std::memcmp(data, data + 1, size - 1) == 0;
}

class TreeCopy {
  public:
    explicit TreeCopy(const TreePart& part) : part_(part) {}

    void copy_folder(const fs::path& from, const fs::path& to, const struct stat& status) {
        os::check_stop();
        if (!part_.left_out.contains(from))
            for (const auto& name : os::sorted_names(from)) copy_entry(from / name, to / name);
        for (const auto& node : part_.added)
            if (node.path.parent_path() == from)
                add_node(node, to / node.path.filename(), status);
        keep_attributes(from, to);
        keep_status(to, status);
    }

  private:
    void copy_entry(const fs::path& from, const fs::path& to) {
        const auto status = os::status_of(from);
        if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
            const auto [first, is_first] = linked_.try_emplace({status.st_dev, status.st_ino}, to);
            if (!is_first) {
                if (::link(first->second.c_str(), to.c_str()) != 0)
                    throw unwritable(to);
                return;
            }
        }
        if (S_ISDIR(status.st_mode)) {
            if (::mkdir(to.c_str(), 0700) != 0)
                throw unwritable(to);
            return copy_folder(from, to, status);
        }
        copy_content(from, to, status);
        keep_owner(to, status);  // before the attributes: changing the owner takes capabilities away
        keep_attributes(from, to);
        keep_status(to, status);
    }

    void copy_content(const fs::path& from, const fs::path& to, const struct stat& status) {
        if (S_ISREG(status.st_mode)) {
            copy_file(from, to);
        } else if (S_ISLNK(status.st_mode)) {
            if (::symlink(fs::read_symlink(from).c_str(), to.c_str()) != 0)
                throw unwritable(to);
        } else if (::mknod(to.c_str(), status.st_mode, status.st_rdev) != 0) {
            throw unwritable(to);
        }
    }

    void copy_file(const fs::path& from, const fs::path& to) {
        const auto source = os::open_file(from, O_RDONLY | O_NOFOLLOW);
        const auto target = os::open_file(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
        off_t size = 0;
        for (;;) {
            os::check_stop();
            const auto count = ::read(source.get(), buffer_.data(), buffer_.size());
            if (count < 0 && errno == EINTR)
                continue;
            if (count < 0)
                throw os::unreadable(from);
            if (count == 0)
                break;
            put(target, size, static_cast<std::size_t>(count), to);
            size += count;
        }
        if (::ftruncate(target.get(), size) != 0)
            throw unwritable(to);
    }

    void put(const os::Fd& target, off_t offset, std::size_t size, const fs::path& to) const {
        for (std::size_t start = 0; start < size;) {
            auto end = start;
            while (end < size && !is_zero(&buffer_[end], std::min(kBlock, size - end)))
                end += std::min(kBlock, size - end);
            os::write_at(target, {&buffer_[start], end - start}, static_cast<std::uint64_t>(offset) + start,
                         quote(to.native()));
            start = end;
            while (start < size && is_zero(&buffer_[start], std::min(kBlock, size - start)))
                start += std::min(kBlock, size - start);
        }
    }

    void add_node(const AddedNode& node, const fs::path& to, const struct stat& of_folder) {
        if (::mknod(to.c_str(), node.mode, node.device) != 0)
            throw unwritable(to);
        struct stat status {};
        status.st_mode = node.mode;
        status.st_mtim = of_folder.st_mtim;
        keep_status(to, status);
    }

    static void keep_owner(const fs::path& to, const struct stat& status) {
        if (::lchown(to.c_str(), status.st_uid, status.st_gid) != 0)
            throw unwritable(to);
    }

    static void keep_attributes(const fs::path& from, const fs::path& to) {
        for (const auto& attribute : os::attributes_of(from))
            if (::lsetxattr(to.c_str(), attribute.name.c_str(), attribute.value.data(), attribute.value.size(), 0) != 0)
                throw unwritable(to);
    }

    static void keep_status(const fs::path& to, const struct stat& status) {
        if (S_ISDIR(status.st_mode))
            keep_owner(to, status);
        if (!S_ISLNK(status.st_mode) && ::chmod(to.c_str(), status.st_mode & 07777) != 0)
            throw unwritable(to);
        const timespec times[2] = {status.st_mtim, status.st_mtim};
        if (::utimensat(AT_FDCWD, to.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
            throw unwritable(to);
    }

    const TreePart& part_;
    std::map<std::pair<dev_t, ino_t>, fs::path> linked_;
    std::vector<char> buffer_ = std::vector<char>(kBuffer);
};

}  // namespace

void copy_tree(const TreePart& part, const fs::path& into, RootMode root_mode) {
    auto status = os::status_of(part.top);
    if (root_mode == RootMode::system) {
        status.st_mode = S_IFDIR | 0755;
        status.st_uid = status.st_gid = 0;
    }
    TreeCopy(part).copy_folder(part.top, into, status);
}

}  // namespace vprov::partition
