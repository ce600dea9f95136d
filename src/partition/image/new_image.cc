#include "partition/image/new_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/text.h"

namespace vprov::partition {
namespace fs = std::filesystem;

NewImage::NewImage(fs::path path, Bytes size) : path_(std::move(path)) {
    fd_ = os::open_file(path_, O_RDWR | O_CREAT | O_EXCL, 0600);  // it holds password hashes and host keys
    if (::ftruncate(fd_.get(), static_cast<off_t>(size.value)) != 0) {
        const int why = errno;
        remove();
        throw system_error(ErrorKind::disk, why,
                           fmt::format("cannot make {} of {}", quote(path_.native()), human(size)));
    }
}

NewImage::~NewImage() {
    if (!kept_)
        remove();
}

void NewImage::remove() const noexcept {
    std::error_code ignored;
    fs::remove(path_, ignored);
}

}  // namespace vprov::partition
