// Work directories that vanish, files that appear whole, and locks between processes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "os/fd.h"

namespace vprov::os {

// A new directory PARENT/PREFIXxxxxxx/xxxxxx with mode 0700, removed with all it holds by the destructor. While it
// lives an flock(2) on PREFIXxxxxxx is held, so that remove_stale() of a later run tells a dead owner from a live one.
class TempDir {
  public:
    TempDir(const std::filesystem::path& parent, std::string_view prefix);  // throws Error(disk)
    ~TempDir();
    TempDir(TempDir&& other) noexcept;
    TempDir& operator=(TempDir&&) = delete;
    const std::filesystem::path& path() const { return path_; }

    // Removes every PARENT/PREFIX?????? whose owner is gone (killed before it could clean up).
    static void remove_stale(const std::filesystem::path& parent, std::string_view prefix);

  private:
    std::filesystem::path outer_, path_;
    Fd lock_;
};

// Removes a tree without following links and without leaving its file system. Missing is fine. Never throws.
void remove_tree(const std::filesystem::path& path) noexcept;

// A file written under a temporary name beside `path` and renamed over it by commit(). Without commit() nothing is
// left. Other processes see the old file or the whole new one. There is no fsync(2): on ext4 it would wait for all that
// a build has written so far, and replacing by rename is kept whole there by auto_da_alloc (ext4(5)).
class NewFile {
  public:
    explicit NewFile(std::filesystem::path path, mode_t mode = 0644);
    ~NewFile();
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    int fd() const { return fd_.get(); }
    void write(std::string_view data) { write_all(fd_.get(), data, path_.native()); }
    void commit();

  private:
    std::filesystem::path path_, temporary_;
    Fd fd_;
};

void write_file(const std::filesystem::path& path, std::string_view data, mode_t mode = 0644);  // through NewFile

// An flock(2) held for the object's life, on a file, which is created when missing and stays, or a directory.
class FileLock {
  public:
    enum class Mode { shared, exclusive };
    FileLock(const std::filesystem::path& path, Mode mode);  // waits; a stop request ends the waiting
    static bool is_held(const std::filesystem::path& path);  // by anyone, shared or exclusive

  private:
    Fd fd_;
};

}  // namespace vprov::os
