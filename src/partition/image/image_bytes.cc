#include "partition/image/image_bytes.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/text.h"

namespace vprov::partition {

std::string ImageBytes::read(std::uint64_t offset, std::size_t count) const {
    std::string bytes(count, '\0');
    read(offset, bytes.data(), count);
    return bytes;
}

RawImage::RawImage(const std::filesystem::path& file, Access access)
    : name_(file), fd_(os::open_file(file, access == Access::reading ? O_RDONLY : O_RDWR)) {
    const auto end = ::lseek(fd_.get(), 0, SEEK_END);  // of a device too
    if (end < 0)
        throw system_error(ErrorKind::disk, errno, "cannot read " + quote(file.native()));
    size_ = Bytes{static_cast<std::uint64_t>(end)};
}

void RawImage::read(std::uint64_t offset, char* bytes, std::size_t count) const {
    while (count > 0) {
        const auto got = ::pread(fd_.get(), bytes, count, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw system_error(ErrorKind::disk, errno, "cannot read " + quote(name_.native()));
        if (got == 0) {
            std::memset(bytes, 0, count);
            return;
        }
        bytes += got;
        offset += static_cast<std::uint64_t>(got);
        count -= static_cast<std::size_t>(got);
    }
}

void RawImage::write(std::uint64_t offset, std::string_view bytes) {
    if (offset + bytes.size() > size_.value)
        throw error(ErrorKind::internal, "internal error: {} is written behind its end", quote(name_.native()));
    os::write_at(fd_, bytes, offset, quote(name_.native()));
}

std::uint64_t RawImage::next_data(std::uint64_t offset) const {
    const auto data = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0)
        return errno == ENXIO ? std::numeric_limits<std::uint64_t>::max() : offset;
    return static_cast<std::uint64_t>(data);
}

}  // namespace vprov::partition
