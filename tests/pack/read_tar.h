// A tar as text: a line a member, "PATH KIND MODE MTIME DETAIL".
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>

namespace vprov::pack {

inline std::string detail_of(archive* reader, archive_entry* entry) {
    if (const char* target = ::archive_entry_hardlink(entry))
        return std::string(" link to ") + target;
    if (const char* target = ::archive_entry_symlink(entry))
        return std::string(" -> ") + target;
    if (::archive_entry_filetype(entry) == AE_IFCHR)
        return fmt::format(" {},{}", ::archive_entry_rdevmajor(entry), ::archive_entry_rdevminor(entry));
    std::string content(static_cast<std::size_t>(::archive_entry_size(entry)), '\0');
    ::archive_read_data(reader, content.data(), content.size());
    std::string text = content.empty() ? "" : " " + content;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    ::archive_entry_xattr_reset(entry);
    while (::archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
        text += fmt::format(" {}={}", name, std::string(static_cast<const char*>(value), size));
    return text;
}

inline char kind_of(archive_entry* entry) {
    switch (::archive_entry_filetype(entry)) {
        case AE_IFDIR:
            return 'd';
        case AE_IFLNK:
            return 'l';
        case AE_IFCHR:
            return 'c';
        case AE_IFIFO:
            return 'p';
        default:
            return ::archive_entry_hardlink(entry) ? 'h' : 'f';
    }
}

inline std::string read_tar(const std::filesystem::path& path) {
    const std::unique_ptr<archive, int (*)(archive*)> reader(::archive_read_new(), ::archive_read_free);
    ::archive_read_support_filter_all(reader.get());
    ::archive_read_support_format_tar(reader.get());
    ::archive_read_open_filename(reader.get(), path.c_str(), 10240);
    std::string text;
    archive_entry* entry = nullptr;
    while (::archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK)
        text += fmt::format("{} {} {:o} {}{}\n", ::archive_entry_pathname(entry), kind_of(entry),
                            ::archive_entry_perm(entry), ::archive_entry_mtime(entry), detail_of(reader.get(), entry));
    return text;
}

}  // namespace vprov::pack
