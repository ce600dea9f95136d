// An ext2/3/4 file system in an image file, filled from the start to the end: libext2fs for its tables, large writes
// for the data. What is given the same calls in the same order is the same bytes.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/fd.h"
#include "os/tree_files.h"
#include "partition/image/place.h"

namespace vprov::partition {

using Inode = std::uint32_t;

struct DirectoryEntry {
    std::string name;
    Inode inode = 0;
    mode_t mode = 0;  // the type bits count
};

class ExtFilesystem {
  public:
    static constexpr Inode kRoot = 2;  // made by mke2fs, with lost+found in it

    // At `place` is an empty file system of mke2fs. `epoch` stands for the current time. Until finish() it lacks its
    // magic number: nobody takes one that is half made for a whole one. Throws Error(disk).
    ExtFilesystem(const Place& place, std::int64_t epoch);
    ~ExtFilesystem();

    // All below throw Error(disk), and FullFilesystem when blocks or inodes run out.
    Inode new_inode(mode_t mode);

    // Each writes an inode that new_inode() gave (kRoot for a directory only): owner, mode and mtime from `status`, the
    // other times equal to mtime, one link (directories: two, and one for each directory in it).
    void write_file(Inode inode, const struct stat& status, int fd, std::string_view name);
    void write_link(Inode inode, const struct stat& status, std::string_view target);
    void write_special(Inode inode, const struct stat& status);  // devices, pipes, sockets
    void write_directory(Inode inode, Inode parent, const struct stat& status, std::vector<DirectoryEntry> entries);

    void set_links(Inode inode, std::uint32_t count);
    void set_attributes(Inode inode, const std::vector<os::ExtendedAttribute>& attributes);

    void finish();  // writes bitmaps, descriptors and superblock

    struct State;

  private:
    std::unique_ptr<State> state_;
};

// The file system has no room for more; the caller knows how much there is.
struct FullFilesystem : std::exception {
    const char* what() const noexcept override { return "the file system is full"; }
};

}  // namespace vprov::partition
