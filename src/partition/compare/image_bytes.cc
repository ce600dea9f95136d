#include "partition/compare/image_bytes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/interrupt.h"

namespace vprov::partition {
namespace {
namespace fs = std::filesystem;

constexpr std::uint64_t kPiece = 1 << 20;

class Reader {
  public:
    explicit Reader(const fs::path& path) : path_(path), fd_(os::open_file(path, O_RDONLY)) {}

    // Where data begins again from `place` on; `end` if nowhere.
    std::uint64_t data_from(std::uint64_t place, std::uint64_t end) const {
        const auto found = ::lseek(fd_.get(), static_cast<off_t>(place), SEEK_DATA);
        if (found < 0 && errno != ENXIO)
            throw system_error(ErrorKind::disk, errno, "cannot read " + quote(path_.native()));
        return found < 0 ? end : std::min(static_cast<std::uint64_t>(found), end);
    }

    std::string read(std::uint64_t place, std::uint64_t size) const {
        std::string data(size, '\0');
        for (std::size_t done = 0; done < size;) {
            const auto count = ::pread(fd_.get(), data.data() + done, size - done, static_cast<off_t>(place + done));
            if (count < 0 && errno == EINTR)
                continue;
            if (count <= 0)
                throw system_error(ErrorKind::disk, count == 0 ? EIO : errno, "cannot read " + quote(path_.native()));
            done += static_cast<std::size_t>(count);
        }
        return data;
    }

  private:
    fs::path path_;
    os::Fd fd_;
};

}  // namespace

std::optional<std::uint64_t> first_difference(const fs::path& one, const fs::path& other, Bytes start, Bytes size) {
    const Reader a(one), b(other);
    const auto end = start.value + size.value;
    for (auto place = start.value; place < end;) {
        os::check_stop();
        place = std::min(a.data_from(place, end), b.data_from(place, end));
        const auto count = std::min(kPiece, end - place);
        if (count == 0)
            break;
        const auto left = a.read(place, count), right = b.read(place, count);
        if (const auto [x, y] = std::ranges::mismatch(left, right); x != left.end())
            return place + static_cast<std::uint64_t>(x - left.begin());
        place += count;
    }
    return std::nullopt;
}

void extract(const fs::path& from, Bytes start, Bytes size, const fs::path& to) {
    const Reader source(from);
    const auto target = os::open_file(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (::ftruncate(target.get(), static_cast<off_t>(size.value)) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot write " + quote(to.native()));
    const auto end = start.value + size.value;
    for (auto place = start.value; (place = source.data_from(place, end)) < end;) {
        os::check_stop();
        const auto data = source.read(place, std::min(kPiece, end - place));
        if (::pwrite(target.get(), data.data(), data.size(), static_cast<off_t>(place - start.value)) !=
            static_cast<ssize_t>(data.size()))
            throw system_error(ErrorKind::disk, errno, "cannot write " + quote(to.native()));
        place += data.size();
    }
}

}  // namespace vprov::partition
