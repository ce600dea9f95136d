#include "os/tree_files.h"

#include <dirent.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>

#include "base/text.h"

namespace vprov::os {
namespace {
namespace fs = std::filesystem;

bool is_kept(std::string_view attribute) {
    if (attribute == "security.selinux")
        return false;
    return attribute.starts_with("security.") || attribute.starts_with("user.") ||
           attribute.starts_with("system.posix_acl_");
}

std::string attribute_names(const fs::path& path) {
    std::string names(1024, '\0');
    auto size = ::llistxattr(path.c_str(), names.data(), names.size());
    if (size < 0 && errno == ERANGE) {
        names.resize(XATTR_LIST_MAX);
        size = ::llistxattr(path.c_str(), names.data(), names.size());
    }
    if (size < 0 && errno != ENOTSUP)
        throw unreadable(path);
    names.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return names;
}

}  // namespace

Error unreadable(const fs::path& path) {
    return system_error(ErrorKind::disk, errno, "cannot read " + quote(path.native()));
}

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

std::vector<ExtendedAttribute> attributes_of(const fs::path& path) {
    std::vector<ExtendedAttribute> attributes;
    const auto names = attribute_names(path);
    for (const auto name : split(names, '\0')) {
        if (!is_kept(name))
            continue;
        ExtendedAttribute attribute{std::string(name), std::string(XATTR_SIZE_MAX, '\0')};
        const auto length = ::lgetxattr(path.c_str(), attribute.name.c_str(), attribute.value.data(), XATTR_SIZE_MAX);
        if (length < 0)
            throw unreadable(path);
        attribute.value.resize(static_cast<std::size_t>(length));
        attributes.push_back(std::move(attribute));
    }
    std::ranges::sort(attributes, {}, &ExtendedAttribute::name);
    return attributes;
}

}  // namespace vprov::os
