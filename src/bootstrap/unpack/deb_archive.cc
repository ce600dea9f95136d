#include "bootstrap/unpack/deb_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"

namespace vprov::unpack {
namespace {

constexpr Bytes kMaxControl = 64_MiB;

struct ArchiveDeleter {
    void operator()(::archive* a) const { archive_read_free(a); }
};
using Reader = std::unique_ptr<::archive, ArchiveDeleter>;

// Only what deb(5) allows: a reader for "all" formats would start external programs for some of them.
Reader open_tar(std::string_view member) {
    Reader reader(archive_read_new());
    archive_read_support_format_tar(reader.get());
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_filter_xz(reader.get());
    archive_read_support_filter_lzma(reader.get());
    archive_read_support_filter_bzip2(reader.get());
    archive_read_support_filter_zstd(reader.get());
    if (archive_read_open_memory(reader.get(), member.data(), member.size()) != ARCHIVE_OK)
        throw error(ErrorKind::archive, "{}", archive_error_string(reader.get()));
    return reader;
}

struct ArHeader {  // ar(5): 60 bytes of text
    std::string_view name;
    std::uint64_t size;
};

ArHeader parse_header(std::string_view header) {
    const auto digits = trimmed(header.substr(48, 10));
    std::uint64_t size = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    if (header.substr(58, 2) != "`\n" || failure != std::errc{} || end != digits.data() + digits.size())
        throw error(ErrorKind::archive, "a damaged ar header");
    auto name = trimmed(header.substr(0, 16));
    if (name.ends_with('/'))
        name.remove_suffix(1);
    return {name, size};
}

std::string read_content(::archive* reader, Bytes& budget) {
    std::string content;
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
        const int result = archive_read_data_block(reader, &block, &size, &offset);
        if (result == ARCHIVE_EOF)
            return content;
        if (result < ARCHIVE_WARN)
            throw error(ErrorKind::archive, "{}", archive_error_string(reader));
        if (static_cast<std::uint64_t>(offset) + size > budget.value)
            throw error(ErrorKind::archive, "its control files take more than {}", human(kMaxControl));
        content.resize(static_cast<std::size_t>(offset));
        content.append(static_cast<const char*>(block), size);
    }
}

}  // namespace

DebMembers find_deb_members(std::string_view bytes) {
    constexpr std::string_view kMagic = "!<arch>\n";
    constexpr std::size_t kHeaderSize = 60;
    if (!bytes.starts_with(kMagic))
        throw error(ErrorKind::archive, "not an ar archive");
    DebMembers members;
    bool first = true;
    for (auto rest = bytes.substr(kMagic.size()); rest.size() >= kHeaderSize;) {
        const auto [name, size] = parse_header(rest.substr(0, kHeaderSize));
        rest.remove_prefix(kHeaderSize);
        if (size > rest.size())
            throw error(ErrorKind::archive, "it ends in the middle of member {}", quote(name));
        const auto content = rest.substr(0, static_cast<std::size_t>(size));
        rest.remove_prefix(std::min<std::size_t>(rest.size(), static_cast<std::size_t>(size + (size & 1))));
        if (first && (name != "debian-binary" || !content.starts_with("2.")))
            throw error(ErrorKind::archive, "it does not start with debian-binary 2.x");
        first = false;
        if (name.starts_with("control.tar") && members.control.empty())
            members.control = content;
        else if (name.starts_with("data.tar") && members.data.empty())
            members.data = content;
    }
    if (members.control.empty() || members.data.empty())
        throw error(ErrorKind::archive, "it has no {}", members.control.empty() ? "control.tar" : "data.tar");
    return members;
}

DebArchive::DebArchive(std::filesystem::path path) : path_(std::move(path)) {
    const auto fd = os::open_file(path_, O_RDONLY, 0, ErrorKind::archive);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0)
        throw system_error(ErrorKind::archive, errno, "cannot read " + quote(path_.native()));
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0)
        throw error(ErrorKind::archive, "cannot read {}: it is empty", quote(path_.native()));
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (address == MAP_FAILED)
        throw system_error(ErrorKind::archive, errno, "cannot read " + quote(path_.native()));
    bytes_ = {static_cast<const char*>(address), size};
    ::madvise(address, size, MADV_SEQUENTIAL);
    try {
        const auto members = find_deb_members(bytes_);
        control_ = members.control;
        data_ = members.data;
    } catch (Error& e) {
        ::munmap(address, size);
        e.add_context("cannot read " + quote(path_.native()));
        throw;
    }
}

DebArchive::~DebArchive() {
    ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

std::vector<ControlFile> DebArchive::control() const {
    const auto reader = open_tar(control_);
    std::vector<ControlFile> files;
    Bytes budget = kMaxControl;
    archive_entry* entry = nullptr;
    for (;;) {
        const int result = archive_read_next_header(reader.get(), &entry);
        if (result == ARCHIVE_EOF)
            return files;
        if (result < ARCHIVE_WARN)
            throw error(ErrorKind::archive, "cannot read {}: {}", quote(path_.native()),
                        archive_error_string(reader.get()));
        if (archive_entry_filetype(entry) != AE_IFREG)
            continue;
        const char* name = archive_entry_pathname(entry);
        std::string_view clean = name ? name : "";
        while (clean.starts_with("./")) clean.remove_prefix(2);
        if (clean.empty() || clean.find('/') != std::string_view::npos || clean == "..")
            throw error(ErrorKind::archive, "cannot read {}: its control.tar has a member {}", quote(path_.native()),
                        quote(clean));
        ControlFile file{std::string(clean), archive_entry_perm(entry) & 0777, read_content(reader.get(), budget)};
        budget.value -= file.content.size();
        files.push_back(std::move(file));
    }
}

void DebArchive::read_data(const std::function<void(::archive*)>& read) const {
    const auto reader = open_tar(data_);
    read(reader.get());
}

}  // namespace vprov::unpack
