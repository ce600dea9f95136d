#include "bootstrap/pack/tree_entry.h"

#include <dirent.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/error.h"
#include "base/text.h"

namespace vprov::pack {
namespace {
namespace fs = std::filesystem;

Error unreadable(const fs::path& path) {
    return system_error(ErrorKind::disk, errno, "cannot read " + quote(path.native()));
}

bool is_kept(std::string_view attribute) {
    if (attribute == "security.selinux")
        return false;
    return attribute.starts_with("security.") || attribute.starts_with("user.") ||
           attribute.starts_with("system.posix_acl_");
}

std::vector<std::string> attribute_names(const fs::path& path) {
    std::string list(1024, '\0');
    auto size = ::llistxattr(path.c_str(), list.data(), list.size());
    if (size < 0 && errno == ERANGE) {
        list.resize(XATTR_LIST_MAX);
        size = ::llistxattr(path.c_str(), list.data(), list.size());
    }
    if (size < 0 && errno != ENOTSUP)
        throw unreadable(path);
    list.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    std::vector<std::string> names;
    for (const auto name : split(list, '\0'))
        if (is_kept(name))
            names.emplace_back(name);
    std::ranges::sort(names);
    return names;
}

}  // namespace

struct stat status_of(const fs::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        throw unreadable(path);
    return status;
}

std::vector<std::string> sorted_names(const fs::path& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> handle(::opendir(folder.c_str()), ::closedir);
    if (!handle)
        throw unreadable(folder);
    std::vector<std::string> names;
    while (const auto* entry = ::readdir(handle.get()))
        if (const std::string_view name = entry->d_name; name != "." && name != "..")
            names.emplace_back(name);
    std::ranges::sort(names);
    return names;
}

void add_attributes(archive_entry* entry, const fs::path& path) {
    for (const auto& name : attribute_names(path)) {
        std::string value(XATTR_SIZE_MAX, '\0');
        const auto length = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
        if (length < 0)
            throw unreadable(path);
        ::archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), static_cast<std::size_t>(length));
    }
}

}  // namespace vprov::pack
