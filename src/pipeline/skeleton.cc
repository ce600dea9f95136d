#include "pipeline/skeleton.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "os/tree_files.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kWhole = {"etc", "home", "root", "var", "srv"};
// Of those, directories whose content nobody needs: package managers' own, and what can be made again.
constexpr std::array<std::string_view, 4> kHollow = {"var/cache", "var/lib/apt", "var/lib/dpkg", "var/log"};
constexpr std::array<std::string_view, 1> kKept = {"var/cache/debconf"};
// Directories, and the directories in them, but no files.
constexpr std::array<std::string_view, 1> kFolders = {"usr"};

bool is_within(std::string_view path, std::string_view folder) {
    return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

template <class List>
bool is_within_any(std::string_view path, const List& folders) {
    return std::ranges::any_of(folders, [&](auto folder) { return is_within(path, folder); });
}

template <class List>
bool is_one_of(std::string_view path, const List& folders) {
    return std::ranges::find(folders, path) != folders.end();
}

bool is_folder(const fs::path& path) {
    return fs::is_directory(fs::symlink_status(path));
}

void leave_out(const fs::path& tree, const std::string& folder, std::set<std::string>& left_out) {
    for (const auto& name : os::sorted_names(tree / folder)) {
        const auto path = folder + "/" + name;
        const bool contains_kept = std::ranges::any_of(kKept, [&](auto kept) { return is_within(kept, path); });
        if (!contains_kept)
            left_out.insert(path);
    }
}

}  // namespace

bool is_in_skeleton(std::string_view path) {
    if (is_within_any(path, kKept))
        return true;
    const bool hollow = is_within_any(path, kHollow) && !is_one_of(path, kHollow);
    return is_within_any(path, kWhole) && !hollow;
}

std::set<std::string> left_out_of_skeleton(const fs::path& tree) {
    std::set<std::string> left_out;
    for (const auto& name : os::sorted_names(tree)) {
        if (!is_folder(tree / name) || is_one_of(name, kWhole))
            continue;
        if (!is_one_of(name, kFolders)) {
            leave_out(tree, name, left_out);
            continue;
        }
        for (const auto& below : os::sorted_names(tree / name))
            if (is_folder(tree / name / below))
                leave_out(tree, name + "/" + below, left_out);
            else
                left_out.insert(name + "/" + below);
    }
    for (const auto hollow : kHollow)
        if (is_folder(tree / hollow))
            leave_out(tree, std::string(hollow), left_out);
    return left_out;
}

}  // namespace vprov::pipeline
