// Changes files of an ext2/3/4 file system in an image, in place: libext2fs, no mount. The same changes to the same image
// give the same bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/uuid.h"

namespace vprov::partition {

struct FileAttributes {
    unsigned mode = 0644;  // permission bits with setuid, setgid and sticky
    std::uint32_t uid = 0, gid = 0;
};

// Paths are absolute, as on the guest's file system itself (without its mount point); links in their directories are
// followed, inside the file system. What is written is `date` (seconds since the epoch) old, and so are the directories
// in which names come or go.
class ExtEditor {
  public:
    // The file system begins at `offset` of the image and must be clean. Throws Error(disk), as all below does.
    ExtEditor(const std::filesystem::path& image, Bytes offset, std::int64_t date);
    ~ExtEditor();  // without finish() the image is of no use

    bool exists(std::string_view path) const;

    // Replaces what is there, but for a directory, which is an error. The directory must exist.
    void write_file(std::string_view path, const FileAttributes& attributes, std::string_view content);
    void make_link(std::string_view path, const FileAttributes& attributes, std::string_view target);
    void make_directory(std::string_view path, const FileAttributes& attributes);  // one that is there stays as it is
    void set_attributes(std::string_view path, const FileAttributes& attributes);
    void remove(std::string_view path);  // a file, a link, a device or an empty directory

    // Bytes of a file that exist already; its times stay.
    void overwrite(std::string_view path, std::uint64_t offset, std::string_view bytes);

    // UUID and hash seed, with all checksums that depend on the former.
    void set_uuid(const Uuid& uuid);

    void finish();

    struct State;

  private:
    std::unique_ptr<State> state_;
};

}  // namespace vprov::partition
