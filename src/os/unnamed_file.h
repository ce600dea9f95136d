// A file that has no name until it is complete.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "os/fd.h"

namespace vprov::os {

// Made in PATH's directory without a name (O_TMPFILE), so that nothing is left of it whoever is killed before commit().
// A file system that cannot do that (NFS) gets a hidden name beside PATH instead.
class UnnamedFile {
  public:
    // Throws Error(disk); also when something that is not a file has the name.
    UnnamedFile(std::filesystem::path path, mode_t mode);
    ~UnnamedFile();
    UnnamedFile(const UnnamedFile&) = delete;
    UnnamedFile& operator=(const UnnamedFile&) = delete;
    const Fd& fd() const { return fd_; }

    // durable: returns when a power cut cannot take it any more. Throws Error(disk); a file that had the name before
    // is then still there.
    enum class Durability { durable, eventual };
    void commit(Durability durability);

  private:
    std::filesystem::path hidden_name() const;
    void give_name();

    std::filesystem::path path_, temporary_;
    Fd fd_;
};

}  // namespace vprov::os
