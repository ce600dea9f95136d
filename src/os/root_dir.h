// A directory tree that is not trusted: every path is resolved inside it by the kernel.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "os/fd.h"

namespace vprov::os {

// Resolution is openat2(2) with RESOLVE_IN_ROOT (Linux 5.6): absolute links and ".." end at the root of the tree,
// so a link that a package planted cannot lead outside. Paths may start with "/" or "./" or neither.
// All functions throw Error(disk) naming the path inside the tree, unless they say otherwise.
class RootDir {
  public:
    explicit RootDir(std::filesystem::path path);  // must exist
    const std::filesystem::path& path() const { return path_; }
    int fd() const { return fd_.get(); }

    Fd open(std::string_view path, int flags, mode_t mode = 0644) const;
    std::optional<Fd> open_if_exists(std::string_view path, int flags) const;  // nullopt for ENOENT and ENOTDIR
    std::optional<struct stat> status(std::string_view path) const;            // lstat: a final link is not followed
    bool exists(std::string_view path) const { return status(path).has_value(); }

    std::string read(std::string_view path) const;
    std::optional<std::string> read_if_exists(std::string_view path) const;
    std::optional<std::string> read_link(std::string_view path) const;

    // Replaces what is at `path` (a final link too) by a new file, owned by root. Missing parents are made, 0755.
    void write(std::string_view path, std::string_view data, mode_t mode = 0644) const;
    void make_link(std::string_view path, std::string_view target) const;  // symbolic; replaces what is there
    void make_directories(std::string_view path) const;                    // 0755, existing ones are kept
    void remove(std::string_view path) const;                              // a file or link; missing is fine

    // The directory that holds `path`'s last component, resolved inside the tree, and that component.
    struct Place {
        Fd directory;
        std::string name;
    };
    Place parent_of(std::string_view path) const;

  private:
    std::filesystem::path path_;
    Fd fd_;
};

}  // namespace vprov::os
