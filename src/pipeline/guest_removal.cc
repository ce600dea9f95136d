#include "pipeline/guest_removal.h"

#include <stdio.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "os/linked_tree.h"
#include "partition/device/logical_volume.h"
#include "pipeline/guest_pool.h"
#include "pipeline/output_directory.h"
#include "pipeline/shared_bases.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

// Directories that a build has made hold one of its files.
bool holds_made(const std::string& folder, const std::set<std::string>& made) {
    const auto first = made.lower_bound(folder + "/");
    return first != made.end() && first->starts_with(folder + "/");
}

// What no build made: files, and directories without a file of a build's.
std::vector<std::string> others_in(const fs::path& directory, const std::set<std::string>& made) {
    std::vector<std::string> found;
    for (auto entry = fs::recursive_directory_iterator(directory); entry != fs::recursive_directory_iterator();
         ++entry) {
        const auto path = entry->path().lexically_relative(directory).native();
        const bool folder = entry->is_directory() && !entry->is_symlink();
        if (folder && holds_made(path, made))
            continue;
        if (folder)
            entry.disable_recursion_pending();
        if (folder || !made.contains(path))
            found.push_back(path);
    }
    std::ranges::sort(found);
    return found;
}

// Whether `path` is one of the others, within one, or above one.
bool is_of(const std::vector<std::string>& others, const std::string& path) {
    return std::ranges::any_of(others, [&](const std::string& other) {
        return path == other || path.starts_with(other + "/") || other.starts_with(path + "/");
    });
}

void remove_made_volumes(const BuiltGuest& guest, os::CommandRunner& runner) {
    for (const auto& device : guest.volumes) {
        const auto name = partition::volume_name_of(device);
        if (!name || !fs::exists(device))
            continue;
        const auto command = partition::remove_volume(*name);
        const auto result = runner.run(command);
        if (!result.ok())
            throw error(ErrorKind::disk, "cannot remove the volume {}: {}", quote(device),
                        os::describe_failure(command, result));
    }
}

}  // namespace

std::vector<std::string> remove_guest(const BuiltGuest& guest, os::CommandRunner& runner) {
    const auto output = guest.directory.parent_path();
    const std::set<std::string> made(guest.files.begin(), guest.files.end());
    const auto others = others_in(guest.directory, made);
    remove_made_volumes(guest, runner);  // first: without a manifest nobody would know of them
    const auto work = make_work_directory(output, guest.name);
    const auto aside = work.path() / "guest";
    if (others.empty()) {
        if (::rename(guest.directory.c_str(), aside.c_str()) != 0)
            throw system_error(ErrorKind::disk, errno, "cannot remove " + quote(guest.directory.native()));
    } else {
        os::link_tree(guest.directory, aside, [&](const std::string& path) { return is_of(others, path); });
        publish(aside, guest.directory);
    }
    release(output, guest.name);
    remove_unused_bases(output);
    return others;
}

}  // namespace vprov::pipeline
