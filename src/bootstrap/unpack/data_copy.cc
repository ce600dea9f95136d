#include "bootstrap/unpack/data_copy.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "bootstrap/unpack/deb_archive.h"
#include "os/fd.h"
#include "os/interrupt.h"

namespace vprov::unpack {
namespace fs = std::filesystem;
namespace {

struct Free {
    void operator()(::archive* reader_or_writer) const { archive_free(reader_or_writer); }
};
using Archive = std::unique_ptr<::archive, Free>;

struct Output {
    os::Fd fd;
    Hasher hasher{DigestKind::sha256};
};

la_ssize_t write_output(::archive* writer, void* context, const void* data, std::size_t size) {
    auto& output = *static_cast<Output*>(context);
    try {
        os::write_all(output.fd.get(), {static_cast<const char*>(data), size}, "the copy");
    } catch (const Error& e) {
        archive_set_error(writer, ENOSPC, "%s", e.message().c_str());
        return -1;
    }
    output.hasher.update(data, size);
    return static_cast<la_ssize_t>(size);
}

[[noreturn]] void fail(::archive* which, ErrorKind kind) {
    const char* cause = archive_error_string(which);
    throw error(kind, "{}", cause ? cause : "an unknown failure of libarchive");
}

Archive open_source(std::string_view data) {
    Archive reader(archive_read_new());
    archive_read_support_format_raw(reader.get());
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_filter_xz(reader.get());
    archive_read_support_filter_lzma(reader.get());
    archive_read_support_filter_bzip2(reader.get());
    archive_read_support_filter_zstd(reader.get());
    ::archive_entry* entry = nullptr;
    if (archive_read_open_memory(reader.get(), data.data(), data.size()) != ARCHIVE_OK ||
        archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK)
        fail(reader.get(), ErrorKind::archive);
    return reader;
}

Archive open_output(Output& output) {
    Archive writer(archive_write_new());
    archive_write_set_format_raw(writer.get());
    archive_write_add_filter_zstd(writer.get());
    archive_write_set_filter_option(writer.get(), "zstd", "compression-level", "1");
    archive_write_set_bytes_per_block(writer.get(), 0);
    const std::unique_ptr<::archive_entry, void (*)(::archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    if (archive_write_open(writer.get(), &output, nullptr, write_output, nullptr) != ARCHIVE_OK ||
        archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK)
        fail(writer.get(), ErrorKind::disk);
    return writer;
}

void pack(std::string_view data, Output& output, const std::stop_token& stop) {
    const auto reader = open_source(data);
    const auto writer = open_output(output);
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (int result; (result = archive_read_data_block(reader.get(), &block, &size, &offset)) != ARCHIVE_EOF;) {
        os::check_stop();
        if (stop.stop_requested())
            throw Error(ErrorKind::interrupted, "interrupted");
        if (result != ARCHIVE_OK)
            fail(reader.get(), ErrorKind::archive);
        if (archive_write_data(writer.get(), block, size) < 0)
            fail(writer.get(), ErrorKind::disk);
    }
    if (archive_write_close(writer.get()) != ARCHIVE_OK)
        fail(writer.get(), ErrorKind::disk);
}

}  // namespace

void write_data_copy(const fs::path& deb, const fs::path& directory, const std::stop_token& stop) {
    fs::create_directory(directory);
    const auto unnamed = directory / "unnamed";
    Output output{os::open_file(unnamed, O_WRONLY | O_CREAT | O_EXCL, 0644)};
    try {
        pack(DebArchive(deb).data_member(), output, stop);
    } catch (Error& e) {
        e.add_context("cannot copy what is in " + quote(deb.native()));
        throw;
    }
    fs::rename(unnamed, directory / output.hasher.hex());
}

std::unique_ptr<MappedFile> open_data_copy(const fs::path& directory) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(directory, none)) {
        try {
            auto file = std::make_unique<MappedFile>(entry.path());
            if (hex_digest(DigestKind::sha256, file->bytes()) == entry.path().filename().native())
                return file;
        } catch (const Error&) {  // the .deb is there for what cannot be read
        }
        fs::remove_all(directory, none);
        break;
    }
    return nullptr;
}

}  // namespace vprov::unpack
