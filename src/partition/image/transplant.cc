#include "partition/image/transplant.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "os/fd.h"

namespace vprov::partition {
namespace {

void copy_range(const os::Fd& from, const os::Fd& to, off_t start, off_t end, off_t shift) {
    file_clone_range range{};
    range.src_fd = from.get();
    range.src_offset = static_cast<__u64>(start);
    range.src_length = static_cast<__u64>(end - start);
    range.dest_offset = range.src_offset + static_cast<__u64>(shift);
    if (::ioctl(to.get(), FICLONERANGE, &range) == 0)
        return;
    off_t in = start, out = start + shift;
    while (in < end) {
        const auto count = ::copy_file_range(from.get(), &in, to.get(), &out, static_cast<std::size_t>(end - in), 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            throw system_error(ErrorKind::disk, count == 0 ? EIO : errno, "cannot move a file system into its image");
    }
}

}  // namespace

void transplant(const std::filesystem::path& from, const std::filesystem::path& to, Bytes offset) {
    const auto source = os::open_file(from, O_RDONLY);
    const auto target = os::open_file(to, O_RDWR);
    for (off_t end = 0;;) {
        const auto start = ::lseek(source.get(), end, SEEK_DATA);
        if (start < 0 && errno == ENXIO)
            return;
        if (start < 0)
            throw system_error(ErrorKind::disk, errno, "cannot read " + quote(from.native()));
        end = ::lseek(source.get(), start, SEEK_HOLE);
        if (end < 0)
            throw system_error(ErrorKind::disk, errno, "cannot read " + quote(from.native()));
        copy_range(source, target, start, end, static_cast<off_t>(offset.value));
    }
}

}  // namespace vprov::partition
