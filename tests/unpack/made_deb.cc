#include "unpack/made_deb.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

namespace vprov::unpack {

std::string make_tar(const std::vector<Member>& members) {
    std::size_t room = 1 << 20;
    for (const auto& member : members) room += member.path.size() + 4096;
    std::string out(room, '\0');
    std::size_t used = 0;
    auto* writer = archive_write_new();
    archive_write_set_format_gnutar(writer);
    archive_write_add_filter_gzip(writer);
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    for (const auto& member : members) {
        auto* entry = archive_entry_new();
        archive_entry_set_pathname(entry, member.path.c_str());
        archive_entry_set_perm(entry, static_cast<mode_t>(member.mode));
        archive_entry_set_uid(entry, member.uid);
        archive_entry_set_mtime(entry, 1700000000, 0);
        switch (member.kind) {
            case 'd':
                archive_entry_set_filetype(entry, AE_IFDIR);
                break;
            case 'l':
                archive_entry_set_filetype(entry, AE_IFLNK);
                archive_entry_set_symlink(entry, member.content.c_str());
                break;
            case 'h':
                archive_entry_set_hardlink(entry, member.content.c_str());
                break;
            case 'c':
            case 'b':
                archive_entry_set_filetype(entry, member.kind == 'c' ? AE_IFCHR : AE_IFBLK);
                archive_entry_set_rdevmajor(entry, 1);
                archive_entry_set_rdevminor(entry, 3);
                break;
            default:
                archive_entry_set_filetype(entry, AE_IFREG);
                archive_entry_set_size(entry, static_cast<la_int64_t>(member.content.size()));
        }
        archive_write_header(writer, entry);
        if (member.kind == 'f')
            archive_write_data(writer, member.content.data(), member.content.size());
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    return out;
}

std::string make_ar(const std::vector<std::pair<std::string, std::string>>& members) {
    std::string out = "!<arch>\n";
    for (const auto& [name, content] : members) {
        out += fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, 100644, content.size());
        out += content;
        if (content.size() & 1)
            out += '\n';
    }
    return out;
}

std::string make_deb(const std::string& control, const std::vector<Member>& control_files,
                     const std::vector<Member>& data) {
    auto files = control_files;
    files.push_back({"./control", 'f', control, 0644});
    return make_ar({{"debian-binary", "2.0\n"}, {"control.tar.gz", make_tar(files)}, {"data.tar.gz", make_tar(data)}});
}

}  // namespace vprov::unpack
