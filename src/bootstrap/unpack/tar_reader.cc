#include "bootstrap/unpack/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

namespace vprov::unpack {

std::string shown(std::string_view name) {
    constexpr std::size_t kShown = 100;
    return name.size() <= kShown ? quote(name) : fmt::format("{}...", quote(name.substr(0, kShown)));
}

void TarReader::Close::operator()(::archive* reader) const {
    archive_read_free(reader);
}

// Only what deb(5) allows: a reader for "all" formats would start external programs for some of them.
TarReader::TarReader(std::string_view bytes, TarLimits limits) : reader_(archive_read_new()), limits_(limits) {
    used_ = {0, 0, 0};
    archive_read_support_format_tar(reader_.get());
    archive_read_support_filter_gzip(reader_.get());
    archive_read_support_filter_xz(reader_.get());
    archive_read_support_filter_lzma(reader_.get());
    archive_read_support_filter_bzip2(reader_.get());
    archive_read_support_filter_zstd(reader_.get());
    if (archive_read_open_memory(reader_.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
        fail();
}

void TarReader::fail() const {
    const char* cause = archive_error_string(reader_.get());  // not for every failure does it have words
    throw error(ErrorKind::archive, "{}", cause ? cause : "a damaged tar archive");
}

void TarReader::count(archive_entry* header) {
    const auto length_of = [](const char* text) { return text ? std::string_view(text).size() : 0; };
    if (++used_.members > limits_.members)
        throw error(ErrorKind::archive, "it has more than {} members", limits_.members);
    used_.names += name_.size() + length_of(archive_entry_hardlink(header)) + length_of(archive_entry_symlink(header));
    if (used_.names > limits_.names)
        throw error(ErrorKind::archive, "its members' names take more than {}", human(Bytes{limits_.names}));
}

archive_entry* TarReader::next() {
    archive_entry* header = nullptr;
    const int result = archive_read_next_header(reader_.get(), &header);
    if (result == ARCHIVE_EOF)
        return nullptr;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
        fail();
    const char* name = archive_entry_pathname(header);
    if (!name)
        throw error(ErrorKind::archive, "a member's name cannot be read");
    name_ = name;
    count(header);
    offset_ = 0;
    const auto size = archive_entry_size(header);
    if (size < 0)
        throw error(ErrorKind::archive, "its member {} has a size below zero", shown(name_));
    size_ = static_cast<std::uint64_t>(size);
    // Told in advance: what is too large is not even begun.
    if (archive_entry_filetype(header) == AE_IFREG && size_ > limits_.content - used_.content)
        throw error(ErrorKind::archive, "it unpacks to more than {}", human(Bytes{limits_.content}));
    return header;
}

std::optional<std::string_view> TarReader::content() {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int result = archive_read_data_block(reader_.get(), &block, &size, &offset);
    if (result != ARCHIVE_EOF && result != ARCHIVE_OK && result != ARCHIVE_WARN)
        fail();
    if (result == ARCHIVE_EOF ? offset_ != size_ : static_cast<std::uint64_t>(offset) != offset_)
        throw error(ErrorKind::archive, "its member {} is sparse", shown(name_));
    if (result == ARCHIVE_EOF)
        return std::nullopt;
    offset_ += size;
    used_.content += size;
    if (used_.content > limits_.content)
        throw error(ErrorKind::archive, "it unpacks to more than {}", human(Bytes{limits_.content}));
    return std::string_view(static_cast<const char*>(block), size);
}

void TarReader::expect_no_content() {
    if (size_ != 0)
        throw error(ErrorKind::archive, "its member {} has content, but is no file", shown(name_));
}

}  // namespace vprov::unpack
