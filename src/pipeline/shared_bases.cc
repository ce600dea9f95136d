#include "pipeline/shared_bases.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "os/file_copy.h"
#include "pipeline/built_guest.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFolder = ".bases", kAside = ".new-";
constexpr mode_t kReadOnly = 0444;

void link_or_copy(const fs::path& from, const fs::path& to) {
    if (::link(from.c_str(), to.c_str()) != 0)
        os::copy_file(from, to, kReadOnly);
    if (::chmod(to.c_str(), kReadOnly) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot protect " + quote(to.native()));
}

std::set<std::string> needed_bases(const fs::path& output) {
    std::set<std::string> needed;
    for (const auto& guest : built_guests(output))
        for (const auto& disk : guest.disks)
            if (!disk.backing.empty())
                needed.insert(fs::path(disk.backing).parent_path().filename());
    return needed;
}

// Whether every guest's manifest can be read: otherwise nobody knows what they need.
bool knows_all_guests(const fs::path& output) {
    std::size_t manifests = 0;
    for (const auto& entry : fs::directory_iterator(output))
        manifests += !entry.path().filename().native().starts_with('.') && fs::exists(entry.path() / "manifest.json");
    return manifests == built_guests(output).size();
}

}  // namespace

SharedBase share_base(const fs::path& output, const fs::path& image, const std::string& digest) {
    const os::FileLock lock(output, os::FileLock::Mode::exclusive);
    const auto folder = output / kFolder, place = folder / digest;
    fs::create_directories(folder);
    if (!fs::exists(place / image.filename())) {
        const os::TempDir work(folder, kAside);
        const auto made = work.path() / "base";
        fs::create_directory(made);
        link_or_copy(image, made / image.filename());
        os::remove_tree(place);
        if (::rename(made.c_str(), place.c_str()) != 0)
            throw system_error(ErrorKind::disk, errno, "cannot keep the base " + quote(place.native()));
    }
    return {place / image.filename(), fmt::format("../{}/{}/{}", kFolder, digest, image.filename().native()),
            std::make_shared<os::FileLock>(place, os::FileLock::Mode::shared)};
}

void remove_unused_bases(const fs::path& output) {
    const auto folder = output / kFolder;
    if (!fs::exists(folder))
        return;
    const os::FileLock lock(output, os::FileLock::Mode::exclusive);
    os::TempDir::remove_stale(folder, kAside);
    if (!knows_all_guests(output))
        return;
    std::vector<fs::path> unused;  // looked at before manifests are: a build publishes its own, then lets go
    for (const auto& entry : fs::directory_iterator(folder))
        if (!os::FileLock::is_held(entry.path()))
            unused.push_back(entry.path());
    const auto needed = needed_bases(output);
    for (const auto& base : unused)
        if (!needed.contains(base.filename()))
            os::remove_tree(base);
    ::rmdir(folder.c_str());  // when it is empty
}

}  // namespace vprov::pipeline
