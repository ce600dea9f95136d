#include "bootstrap/archive/decompress.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/text.h"

namespace vprov::archive {
namespace {

struct ReadDeleter {
    void operator()(struct ::archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<struct ::archive, ReadDeleter>;

Error damaged(const Reader& reader) {
    const char* why = archive_error_string(reader.get());
    return error(ErrorKind::archive, "it does not decompress: {}", why ? why : "unknown cause");
}

void add_filter(const Reader& reader, std::string_view name) {
    if (name.ends_with(".zst"))
        archive_read_support_filter_zstd(reader.get());
    else if (name.ends_with(".xz"))
        archive_read_support_filter_xz(reader.get());
    else if (name.ends_with(".gz"))
        archive_read_support_filter_gzip(reader.get());
    else if (name.ends_with(".bz2"))
        archive_read_support_filter_bzip2(reader.get());
}

bool has_filter(std::string_view name) {
    const auto slash = name.rfind('/');
    return name.substr(slash == std::string_view::npos ? 0 : slash).find('.') != std::string_view::npos;
}

}  // namespace

std::string decompressed(std::string_view data, std::string_view name, Bytes expected, Bytes limit) {
    if (!has_filter(name)) {
        if (Bytes{data.size()} > limit)
            throw error(ErrorKind::archive, "it has more than the {} bytes it should have", limit.value);
        return std::string(data);
    }
    const Reader reader(archive_read_new());
    add_filter(reader, name);
    archive_read_support_format_raw(reader.get());
    archive_read_support_format_empty(reader.get());  // "raw" does not take a stream that holds nothing
    if (archive_read_open_memory(reader.get(), data.data(), data.size()) != ARCHIVE_OK)
        throw damaged(reader);
    // Without its filter the data would pass through as it is.
    if (archive_filter_count(reader.get()) != 2)
        throw error(ErrorKind::archive, "it is not compressed as its name says");
    struct archive_entry* entry = nullptr;
    const int opened = archive_read_next_header(reader.get(), &entry);
    if (opened == ARCHIVE_EOF)
        return {};
    if (opened != ARCHIVE_OK)
        throw damaged(reader);
    // One byte more than it should have shows that there is more.
    std::string text(std::min(expected, limit).value + 1, '\0');
    std::size_t filled = 0;
    for (;;) {
        const auto count = archive_read_data(reader.get(), text.data() + filled, text.size() - filled);
        if (count < 0)
            throw damaged(reader);
        if (count == 0)
            break;
        filled += static_cast<std::size_t>(count);
        if (filled > limit.value)
            throw error(ErrorKind::archive, "it decompresses to more than {} bytes", limit.value);
        if (filled == text.size())
            text.resize(std::min<std::size_t>(2 * filled, limit.value + 1));
    }
    text.resize(filled);
    return text;
}

}  // namespace vprov::archive
