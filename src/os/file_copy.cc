#include "os/file_copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/interrupt.h"

namespace vprov::os {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kPortion = 64 << 20;  // between two looks for a stop request
constexpr std::size_t kDirectPortion = 8 << 20;
constexpr off_t kLeastDirect = 64 << 20;  // smaller files, a kernel and its initrd, are read soon: the cache may have them
constexpr off_t kAlignment = 4096;  // of places and lengths that every disk takes with O_DIRECT
constexpr std::size_t kBuffer = 1 << 20;

// All of a file, for the kernel to write from. Nothing here reads it: what cannot be read fails the write with EFAULT.
class Pages {
  public:
    Pages(const Fd& file, off_t size) : size_(static_cast<std::size_t>(size)) {
        if (size_ > 0)
            address_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.get(), 0);
    }
    ~Pages() {
        if (are_there())
            ::munmap(address_, size_);
    }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    bool are_there() const { return address_ != MAP_FAILED; }
    const char* at(off_t place) const { return static_cast<const char*>(address_) + place; }
    // They count as this process's as long as it has them mapped.
    void let_go(off_t place, ssize_t count) const {
        ::madvise(static_cast<char*>(address_) + place, static_cast<std::size_t>(count), MADV_DONTNEED);
    }

  private:
    std::size_t size_;
    void* address_ = MAP_FAILED;
};

class Copy {
  public:
    Copy(const fs::path& from, const fs::path& to, mode_t mode)
        : to_name_(to), from_(open_file(from, O_RDONLY)), to_(open_file(to, O_RDWR | O_CREAT | O_EXCL, mode)) {
        struct stat status {};
        if (::fstat(from_.get(), &status) != 0)
            fail();
        size_ = status.st_size;
    }

    void run() {
        if (::ioctl(to_.get(), FICLONE, from_.get()) == 0)
            return;
        if (::ftruncate(to_.get(), size_) != 0)
            fail();
        if (size_ >= kLeastDirect && pages_.emplace(from_, size_).are_there())
            direct_ = Fd(::open(fmt::format("/proc/self/fd/{}", to_.get()).c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC));
        for (off_t place = 0; place < size_;) {
            const auto data = ::lseek(from_.get(), place, SEEK_DATA);
            if (data < 0 && errno == ENXIO)
                return;
            const auto end = data < 0 ? -1 : ::lseek(from_.get(), data, SEEK_HOLE);
            if (end < 0)
                fail();
            copy_range(data, end);
            place = end;
        }
    }

  private:
    [[noreturn]] void fail() const {
        throw system_error(ErrorKind::disk, errno, "cannot write " + quote(to_name_.native()));
    }

    void copy_range(off_t place, off_t end) {
        while (place < end) {
            check_stop();
            if (direct_.is_open() && place % kAlignment == 0 && end - place >= kAlignment) {
                place += write_direct(place, end);
                continue;
            }
            const auto wanted = std::min<std::size_t>(static_cast<std::size_t>(end - place), kPortion);
            const auto count = in_kernel_ ? copy_in_kernel(place, wanted) : copy_through_memory(place, wanted);
            // the disk shall be busy from the first copy on, and not when so much is dirty that all have to wait for it
            ::sync_file_range(to_.get(), place, static_cast<off_t>(count), SYNC_FILE_RANGE_WRITE);
            place += static_cast<off_t>(count);
        }
    }

    // No page of the copy is made, which costs more than the disk does where pages come from a hypervisor.
    off_t write_direct(off_t place, off_t end) {
        const auto wanted = std::min<std::size_t>(static_cast<std::size_t>(end - place), kDirectPortion);
        const auto count = ::pwrite(direct_.get(), pages_->at(place), wanted / kAlignment * kAlignment, place);
        if (count > 0) {
            pages_->let_go(place, count);
            return count;
        }
        // a file system that takes the flag and not the write; what cannot be read is said by the next way
        if (count < 0 && errno != EINVAL && errno != EFAULT && errno != EOPNOTSUPP)
            fail();
        direct_.reset();
        return 0;
    }

    std::size_t copy_in_kernel(off_t place, std::size_t wanted) {
        off_t from = place, to = place;
        const auto count = ::copy_file_range(from_.get(), &from, to_.get(), &to, wanted, 0);
        if (count > 0)
            return static_cast<std::size_t>(count);
        // between file systems not before Linux 5.3, and not between all of them since 5.19
        if (count < 0 && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS)
            fail();
        in_kernel_ = false;
        return 0;
    }

    std::size_t copy_through_memory(off_t place, std::size_t wanted) {
        buffer_.resize(kBuffer);
        const auto count = ::pread(from_.get(), buffer_.data(), std::min(wanted, kBuffer), place);
        if (count == 0)
            errno = EIO;  // it has become shorter
        if (count <= 0)
            fail();
        for (ssize_t done = 0; done < count;) {
            const auto written =
                ::pwrite(to_.get(), buffer_.data() + done, static_cast<std::size_t>(count - done), place + done);
            if (written < 0)
                fail();
            done += written;
        }
        return static_cast<std::size_t>(count);
    }

    fs::path to_name_;
    Fd from_, to_, direct_;
    std::optional<Pages> pages_;
    off_t size_ = 0;
    bool in_kernel_ = true;
    std::vector<char> buffer_;
};

}  // namespace

void copy_file(const fs::path& from, const fs::path& to, mode_t mode) {
    Copy copy(from, to, mode);
    try {
        copy.run();
    } catch (...) {
        std::error_code ignored;
        fs::remove(to, ignored);
        throw;
    }
}

}  // namespace vprov::os
