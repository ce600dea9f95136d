// File descriptors and whole-file reads and writes. Touches the file system as it is told.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace vprov::os {

// Owns a descriptor; closes it. Every descriptor here is O_CLOEXEC from birth.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    ~Fd() { reset(); }
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    int get() const noexcept { return fd_; }
    bool is_open() const noexcept { return fd_ >= 0; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void reset() noexcept;

  private:
    int fd_ = -1;
};

// Opens with O_CLOEXEC added. Throws Error(kind) "cannot open 'PATH': ...".
Fd open_file(const std::filesystem::path& path, int flags, mode_t mode = 0666, ErrorKind kind = ErrorKind::disk);

// The whole file. Throws Error(kind) naming `path`; read_file(fd) starts at the current offset.
std::string read_file(const std::filesystem::path& path, ErrorKind kind = ErrorKind::disk);
std::string read_file(const Fd& fd, std::string_view what, ErrorKind kind = ErrorKind::disk);

// All of `data`, however many write(2) calls it takes. Throws Error(disk) "cannot write WHAT: ...".
void write_all(int fd, std::string_view data, std::string_view what);

// The same at `offset` bytes, by pwrite(2). Throws Error(kind) "cannot write WHAT: ...", WHAT without quotes.
void write_at(const Fd& fd, std::string_view data, std::uint64_t offset, std::string_view what,
              ErrorKind kind = ErrorKind::disk);

// The same as write_all() to a socket, whose end is an error and no SIGPIPE. Throws Error(kind) "cannot send WHAT:
// ...".
void send_all(const Fd& socket, std::string_view data, std::string_view what, ErrorKind kind);

struct Pipe {
    Fd read, write;
};
Pipe make_pipe();  // both ends O_CLOEXEC

}  // namespace vprov::os
