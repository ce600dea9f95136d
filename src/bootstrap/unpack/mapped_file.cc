#include "bootstrap/unpack/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"

namespace vprov::unpack {

MappedFile::MappedFile(const std::filesystem::path& path) {
    const auto fd = os::open_file(path, O_RDONLY, 0, ErrorKind::archive);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0)
        throw system_error(ErrorKind::archive, errno, "cannot read " + quote(path.native()));
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0)
        throw error(ErrorKind::archive, "cannot read {}: it is empty", quote(path.native()));
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (address == MAP_FAILED)
        throw system_error(ErrorKind::archive, errno, "cannot read " + quote(path.native()));
    bytes_ = {static_cast<const char*>(address), size};
    ::madvise(address, size, MADV_SEQUENTIAL);
}

MappedFile::~MappedFile() {
    ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace vprov::unpack
