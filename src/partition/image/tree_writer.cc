#include "partition/image/tree_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <map>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/interrupt.h"
#include "os/tree_files.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

class TreeWriter {
  public:
    TreeWriter(ExtFilesystem& into, const TreePart& part) : into_(into), part_(part) {}

    void write_folder(const fs::path& path, const struct stat& status, Inode self, Inode parent) {
        os::check_stop();
        std::vector<DirectoryEntry> entries;
        const auto nodes = nodes_in(path);
        for (const auto& name : names_in(path, self, nodes)) {
            const auto node = nodes.find(name);
            entries.push_back(node == nodes.end() ? write_entry(path / name, name, self)
                                                  : write_node(*node->second, name, status));
        }
        into_.write_directory(self, parent, status, std::move(entries));
        keep_attributes(path, self);
    }

    void count_links() {
        for (const auto& [file, link] : linked_)
            if (link.count > 1)
                into_.set_links(link.inode, link.count);
    }

  private:
    struct Linked {
        Inode inode = 0;
        std::uint32_t count = 0;
    };

    DirectoryEntry write_entry(const fs::path& path, const std::string& name, Inode parent) {
        const auto status = os::status_of(path);
        Linked* link = nullptr;
        if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
            link = &linked_[{status.st_dev, status.st_ino}];
            if (++link->count > 1)
                return {name, link->inode, status.st_mode};
        }
        const auto inode = into_.new_inode(status.st_mode);
        if (link)
            link->inode = inode;
        if (S_ISDIR(status.st_mode)) {
            write_folder(path, status, inode, parent);
        } else {
            write_content(path, status, inode);
            keep_attributes(path, inode);
        }
        return {name, inode, status.st_mode};
    }

    using Nodes = std::map<std::string, const AddedNode*>;

    Nodes nodes_in(const fs::path& folder) const {
        Nodes nodes;
        for (const auto& node : part_.added)
            if (node.path.parent_path() == folder)
                nodes.emplace(node.path.filename().native(), &node);
        return nodes;
    }

    // An added node has the place, and so the inode, that it would have if the tree had it.
    std::vector<std::string> names_in(const fs::path& path, Inode self, const Nodes& nodes) const {
        std::vector<std::string> names;
        if (!part_.left_out.contains(path))
            names = os::sorted_names(path);
        if (self == ExtFilesystem::kRoot)
            std::erase(names, "lost+found");  // mke2fs has made it
        for (const auto& [name, node] : nodes) names.insert(std::ranges::lower_bound(names, name), name);
        return names;
    }

    DirectoryEntry write_node(const AddedNode& node, const std::string& name, const struct stat& of_folder) {
        struct stat status {};
        status.st_mode = node.mode;
        status.st_rdev = node.device;
        status.st_mtim = of_folder.st_mtim;
        const auto inode = into_.new_inode(node.mode);
        into_.write_special(inode, status);
        return {name, inode, node.mode};
    }

    void write_content(const fs::path& path, const struct stat& status, Inode inode) {
        if (S_ISREG(status.st_mode)) {
            const auto file = os::open_file(path, O_RDONLY | O_NOFOLLOW);
            into_.write_file(inode, status, file.get(), path.native());
        } else if (S_ISLNK(status.st_mode)) {
            std::string target(PATH_MAX, '\0');
            const auto length = ::readlink(path.c_str(), target.data(), target.size());
            if (length < 0)
                throw os::unreadable(path);
            into_.write_link(inode, status, std::string_view(target).substr(0, static_cast<std::size_t>(length)));
        } else {
            into_.write_special(inode, status);
        }
    }

    void keep_attributes(const fs::path& path, Inode inode) {
        if (const auto attributes = os::attributes_of(path); !attributes.empty())
            into_.set_attributes(inode, attributes);
    }

    ExtFilesystem& into_;
    const TreePart& part_;
    std::map<std::pair<dev_t, ino_t>, Linked> linked_;
};

}  // namespace

void write_tree(ExtFilesystem& into, const TreePart& part, RootMode root_mode) {
    auto status = os::status_of(part.top);
    if (root_mode == RootMode::system) {
        status.st_mode = S_IFDIR | 0755;
        status.st_uid = status.st_gid = 0;
    }
    TreeWriter writer(into, part);
    writer.write_folder(part.top, status, ExtFilesystem::kRoot, ExtFilesystem::kRoot);
    writer.count_links();
}

}  // namespace vprov::partition
