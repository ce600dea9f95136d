// Files on their way into the cache. They are written to CACHE/partial and renamed when their digest has matched.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/digest.h"
#include "bootstrap/archive/archive.h"
#include "os/temp_dir.h"

namespace vprov::archive {

constexpr std::string_view kPartialSuffix =
    ".part";  // of CACHE/partial/HEX.part: the beginning of what has that digest

// This process's directory below CACHE/partial; what processes that are gone left there is removed first.
class Incoming {
  public:
    explicit Incoming(const Cache& cache);  // throws Error(disk)
    std::filesystem::path new_path();       // of a file or directory that does not exist yet

  private:
    os::TempDir directory_;
    std::uint64_t count_ = 0;
};

// One file as it arrives. Without publish() nothing is left of it.
class IncomingFile {
  public:
    // `kept`: what has arrived stays there when the object goes, for a later one to continue; "" for nothing to stay.
    // Of several processes the first has it, and the others use `path`.
    explicit IncomingFile(std::filesystem::path path, std::filesystem::path kept = {})
        : path_(std::move(path)), kept_(std::move(kept)) {}
    ~IncomingFile();
    IncomingFile(const IncomingFile&) = delete;
    IncomingFile& operator=(const IncomingFile&) = delete;

    void write(std::string_view portion);  // throws Error(disk) "cannot write 'PATH': ..."
    // Takes up what stayed in `kept`, unless that is `whole` or more; how much it was.
    Bytes resume(Bytes whole);
    void discard() noexcept;  // forgets all; may be written again from the start
    Bytes size() const { return size_; }
    const std::filesystem::path& path() const { return path_; }  // there once something was written
    Sha256Digest digest();                                       // of all that was written; once

    // Makes it the entry for `digest`, replacing one that is there. Not fsynced: after a power failure an entry may be
    // damaged, and every user of an entry checks its digest. Throws Error(disk).
    void publish(const Cache& cache, const Sha256Digest& digest);

  private:
    void open();
    bool open_kept();
    std::filesystem::path path_, kept_;
    os::Fd fd_;
    std::optional<Hasher> hasher_;
    Bytes size_;
};

// True if the file has that digest. False for any trouble with reading it, and when a stop is requested.
bool is_intact(const std::filesystem::path& path, const Sha256Digest& digest);

}  // namespace vprov::archive
