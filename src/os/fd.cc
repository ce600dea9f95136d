#include "os/fd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.h"

namespace vprov::os {

void Fd::reset() noexcept {
    if (fd_ >= 0)
        ::close(fd_);
    fd_ = -1;
}

Fd open_file(const std::filesystem::path& path, int flags, mode_t mode, ErrorKind kind) {
    Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
    if (!fd.is_open())
        throw system_error(kind, errno, "cannot open " + quote(path.native()));
    return fd;
}

std::string read_file(const Fd& fd, std::string_view what, ErrorKind kind) {
    std::string text;
    struct stat status {};
    if (::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode))
        text.reserve(static_cast<std::size_t>(status.st_size));
    std::array<char, 65536> buffer{};
    for (;;) {
        const auto count = ::read(fd.get(), buffer.data(), buffer.size());
        if (count == 0)
            return text;
        if (count > 0)
            text.append(buffer.data(), static_cast<std::size_t>(count));
        else if (errno != EINTR)
            throw system_error(kind, errno, "cannot read " + quote(what));
    }
}

std::string read_file(const std::filesystem::path& path, ErrorKind kind) {
    return read_file(open_file(path, O_RDONLY, 0, kind), path.native(), kind);
}

void write_all(int fd, std::string_view data, std::string_view what) {
    while (!data.empty()) {
        const auto count = ::write(fd, data.data(), data.size());
        if (count >= 0)
            data.remove_prefix(static_cast<std::size_t>(count));
        else if (errno != EINTR)
            throw system_error(ErrorKind::disk, errno, "cannot write " + quote(what));
    }
}

void write_at(const Fd& fd, std::string_view data, std::uint64_t offset, std::string_view what, ErrorKind kind) {
    while (!data.empty()) {
        const auto count = ::pwrite(fd.get(), data.data(), data.size(), static_cast<off_t>(offset));
        if (count >= 0) {
            data.remove_prefix(static_cast<std::size_t>(count));
            offset += static_cast<std::uint64_t>(count);
        } else if (errno != EINTR) {
            throw system_error(kind, errno, fmt::format("cannot write {}", what));
        }
    }
}

void send_all(const Fd& socket, std::string_view data, std::string_view what, ErrorKind kind) {
    while (!data.empty()) {
        const auto count = ::send(socket.get(), data.data(), data.size(), MSG_NOSIGNAL);
        if (count > 0)
            data.remove_prefix(static_cast<std::size_t>(count));
        else if (errno != EINTR)
            throw system_error(kind, errno, fmt::format("cannot send {}", what));
    }
}

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw system_error(ErrorKind::internal, errno, "cannot make a pipe");
    return {Fd(ends[0]), Fd(ends[1])};
}

}  // namespace vprov::os
