#include "partition/device/device_record.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <set>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "os/temp_dir.h"
#include "partition/device/device_content.h"

namespace vprov::partition {
namespace fs = std::filesystem;
namespace {

fs::path folder() {
    const char* chosen = std::getenv("VPROV_STATE_DIR");
    return fs::path(chosen && *chosen ? chosen : "/run/vprov") / "devices";
}

fs::path note_of(const fs::path& device) {
    struct stat status {};
    if (::stat(device.c_str(), &status) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot use " + quote(device.native()));
    return folder() / fmt::format("{}-{}", gnu_dev_major(status.st_rdev), gnu_dev_minor(status.st_rdev));
}

// As blkid has them.
std::set<std::string> uuids_of(const DiskPlan& disk) {
    std::set<std::string> uuids;
    for (const auto& volume : disk.volumes)
        if (volume.filesystem != Filesystem::none)
            uuids.insert(volume.uuid_text());
    if (disk.table == Table::gpt)
        uuids.insert(disk.table_uuid.text());
    if (disk.table == Table::mbr)
        uuids.insert(fmt::format("{:08x}", disk.signature()));
    return uuids;
}

}  // namespace

void note_writing(const DiskPlan& disk, const Publication& publication) {
    std::string text = publication.text();
    for (const auto& uuid : uuids_of(disk)) text += "\n" + uuid;
    std::error_code failure;
    fs::create_directories(folder(), failure);
    fs::permissions(folder().parent_path(), fs::perms(0700), failure);  // as running domains keep it
    if (::access(folder().c_str(), W_OK) == 0)
        os::write_file(note_of(disk.device), text + "\n", 0600);
}

void forget_writing(const fs::path& device) noexcept {
    try {
        ::unlink(note_of(device).c_str());
    } catch (const Error&) {
        return;  // the device has gone: its note says nothing of another one, whose UUIDs differ
    }
}

bool is_left_unfinished(const fs::path& device) {
    const auto note = note_of(device);
    if (::access(note.c_str(), R_OK) != 0)
        return false;
    const auto text = os::read_file(note);
    auto lines = split(text, '\n');
    const auto publication = Publication::parse(lines.front());
    if (!publication || publication->has_happened())
        return false;
    const std::set<std::string, std::less<>> ours(lines.begin() + 1, lines.end());
    const auto found = things_on(device);
    return std::ranges::any_of(found, [](const auto& thing) { return !thing.uuid.empty(); }) &&
           std::ranges::all_of(found,
                               [&](const auto& thing) { return thing.uuid.empty() || ours.contains(thing.uuid); });
}

}  // namespace vprov::partition
