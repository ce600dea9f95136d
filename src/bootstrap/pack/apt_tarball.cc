#include "bootstrap/pack/apt_tarball.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/interrupt.h"

namespace vprov::pack {
namespace {
namespace fs = std::filesystem;

struct FreeReader {
    void operator()(archive* reader) const { ::archive_read_free(reader); }
};

struct Place {
    std::string_view in_tar, folder;
};
constexpr std::array<Place, 3> kPlaces = {
    {{"var/lib/apt/lists", "lists"}, {"var/cache/apt/archives", "archives"}, {"debootstrap", "debootstrap"}}};

// Where a member goes, "" for nowhere.
fs::path place_of(archive_entry* entry) {
    const char* name = ::archive_entry_pathname(entry);
    if (!name || ::archive_entry_filetype(entry) != AE_IFREG)
        return {};
    const auto path = fs::path(name).lexically_normal();
    for (const auto& place : kPlaces)
        if (path.parent_path() == place.in_tar && path.has_filename())
            return fs::path(place.folder) / path.filename();
    return {};
}

Error unreadable(const fs::path& tarball, archive* reader) {
    const char* said = ::archive_error_string(reader);
    return error(ErrorKind::archive, "cannot read {}: {}", quote(tarball.native()), said ? said : "it is damaged");
}

void copy_content(archive* reader, const fs::path& tarball, const fs::path& target) {
    const auto file = os::open_file(target, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    std::array<char, 65536> buffer{};
    while (true) {
        os::check_stop();
        const auto count = ::archive_read_data(reader, buffer.data(), buffer.size());
        if (count < 0)
            throw unreadable(tarball, reader);
        if (count == 0)
            return;
        os::write_all(file.get(), {buffer.data(), static_cast<std::size_t>(count)}, target.native());
    }
}

}  // namespace

void extract_apt_tarball(const fs::path& tarball, const fs::path& folder) {
    const std::unique_ptr<archive, FreeReader> reader(::archive_read_new());
    ::archive_read_support_filter_all(reader.get());
    ::archive_read_support_format_tar(reader.get());
    for (const auto& place : kPlaces) fs::create_directories(folder / place.folder);
    if (::archive_read_open_filename(reader.get(), tarball.c_str(), 1 << 20) != ARCHIVE_OK)
        throw unreadable(tarball, reader.get());
    std::size_t found = 0;
    archive_entry* entry = nullptr;
    while (true) {
        const int result = ::archive_read_next_header(reader.get(), &entry);
        if (result == ARCHIVE_EOF)
            break;
        if (result < ARCHIVE_WARN)
            throw unreadable(tarball, reader.get());
        const auto place = place_of(entry);
        if (place.empty())
            continue;
        copy_content(reader.get(), tarball, folder / place);
        ++found;
    }
    if (found == 0)
        throw error(ErrorKind::archive,
                    "cannot use {}: it holds no packages; debootstrap --make-tarball makes such files",
                    quote(tarball.native()));
}

}  // namespace vprov::pack
