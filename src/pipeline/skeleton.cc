#include "pipeline/skeleton.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
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
constexpr std::array<std::string_view, 6> kPrograms = {"/bin",      "/sbin",          "/usr/bin",
                                                       "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"};

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

std::vector<std::string> programs_of(const fs::path& tree) {
    std::vector<std::string> programs;
    for (const auto folder : kPrograms) {
        const auto directory = tree / folder.substr(1);
        if (!is_folder(directory))
            continue;
        for (const auto& name : os::sorted_names(directory))
            if (!is_folder(directory / name))
                programs.push_back(fmt::format("{}/{}", folder, name));
    }
    std::ranges::sort(programs);
    return programs;
}

bool is_place_of_programs(std::string_view directory) {
    return is_one_of(directory, kPrograms);
}

void stand_in_for(const std::string& program, const std::vector<std::string>& programs, const os::RootDir& skeleton) {
    for (const auto& path : {program, "/usr" + program})
        if (std::ranges::binary_search(programs, path) && !skeleton.exists(path))
            skeleton.write(path, "", 0755);
}

}  // namespace vprov::pipeline
