// A member of a .deb read as a tar, compressed or not, with libarchive. The bytes are not trusted: what takes more than
// it may is refused, and nothing is read past the limits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct archive;
struct archive_entry;

namespace vprov::unpack {

struct TarLimits {
    std::uint64_t members = 0;
    std::uint64_t content = 0;                       // bytes of all files together
    std::uint64_t names = std::uint64_t{128} << 20;  // bytes of all names and link targets together
};

class TarReader {
  public:
    // Borrows `bytes`. All functions throw Error(archive) with the bare cause.
    TarReader(std::string_view bytes, TarLimits limits);

    // The next member's header, valid until the next call; nullptr at the end.
    archive_entry* next();
    // The current file's next bytes, valid until the next call; nullopt at its end. Refuses sparse files.
    std::optional<std::string_view> content();
    // For members that are no files: refuses content, which would be skipped unseen and without limit.
    void expect_no_content();

  private:
    struct Close {
        void operator()(::archive* reader) const;
    };
    [[noreturn]] void fail() const;  // what libarchive says
    void count(archive_entry* header);

    std::unique_ptr<::archive, Close> reader_;
    TarLimits limits_, used_;
    std::uint64_t offset_ = 0, size_ = 0;  // within the current file
    std::string name_;                     // of the current member, for messages
};

// A name for messages: quoted, and cut where it is too long to be read.
std::string shown(std::string_view name);

}  // namespace vprov::unpack
