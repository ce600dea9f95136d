#include "pipeline/output_directory.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "pipeline/guest_pool.h"
#include "pipeline/shared_bases.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kWork = "-build-";
constexpr std::size_t kRandom = 6;  // characters, of os::TempDir

std::string work_prefix(std::string_view guest) {
    return fmt::format(".{}{}", guest, kWork);
}

// ".web1-build-" of ".web1-build-Xa31fT"; "" for another name.
std::string work_prefix_of(const std::string& name) {
    if (name.size() <= kRandom || !name.starts_with('.'))
        return {};
    const auto prefix = name.substr(0, name.size() - kRandom);
    return prefix.ends_with(kWork) && prefix.size() > kWork.size() + 1 ? prefix : "";
}

}  // namespace

os::TempDir make_work_directory(const fs::path& output, const std::string& guest) {
    std::error_code failure;
    fs::create_directories(output, failure);
    if (failure)
        throw error(ErrorKind::disk, "cannot make {}: {}", quote(output.native()), failure.message());
    remove_stale_work(output, guest);
    return os::TempDir(output, work_prefix(guest));
}

void remove_stale_work(const fs::path& output, const std::string& guest) {
    os::TempDir::remove_stale(output, work_prefix(guest));
}

void publish(const fs::path& finished, const fs::path& place) {
    if (::renameat2(AT_FDCWD, finished.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) == 0)
        return;
    if (errno != EEXIST || ::renameat2(AT_FDCWD, finished.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot publish " + quote(place.native()));
}

void tidy(const fs::path& output) {
    if (!fs::is_directory(output) || ::access(output.c_str(), R_OK | W_OK | X_OK) != 0)
        return;
    std::set<std::string> prefixes;
    for (const auto& entry : fs::directory_iterator(output))
        if (auto prefix = work_prefix_of(entry.path().filename().native()); !prefix.empty())
            prefixes.insert(std::move(prefix));
    for (const auto& prefix : prefixes) os::TempDir::remove_stale(output, prefix);
    drop_stale_reservations(output);
    remove_unused_bases(output);
}

}  // namespace vprov::pipeline
