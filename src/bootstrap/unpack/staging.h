// Packages taken out of their .debs: contents on disk under numbers, everything else in memory.
//
// Staging knows no paths of the guest, so nothing in a .deb can lead it anywhere; it runs on all cores and in any
// order. What goes where is decided afterwards, in one order, by TreeMerger.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/progress.h"
#include "bootstrap/deb/package_index.h"
#include "bootstrap/unpack/deb_archive.h"
#include "os/temp_dir.h"

namespace vprov::unpack {

enum class EntryKind { directory, file, symlink, hardlink, fifo };

// One member of data.tar, in its order.
struct Entry {
    std::string path;  // without leading "./" or "/" and trailing "/"; "" is the root itself
    EntryKind kind = EntryKind::file;
    unsigned mode = 0;  // permission bits with setuid, setgid and sticky
    std::uint32_t uid = 0, gid = 0;
    std::int64_t mtime = 0;     // seconds since the epoch
    std::string target;         // of a symbolic link, verbatim; of a hard link, an earlier `path`
    std::uint32_t content = 0;  // files: name of the content in the package's staging directory
    std::string md5;            // files and hard links: only where the package has no md5sums of its own
};

struct StagedPackage {
    const deb::Package* package = nullptr;
    std::vector<ControlFile> control;  // every file of control.tar, "control" among them
    std::vector<Entry> entries;
    std::filesystem::path directory;  // holds the contents, with owner, mode and times already set
    const ControlFile* control_file(std::string_view name) const;  // nullptr when it has none
};

// Caps on what one package may hold: beyond them it is not a package but an attack.
// Of the packages of bookworm that unpack to more than 256 MiB, none takes 60 times its size beyond that.
struct StagingLimits {
    std::uint64_t members = 1'000'000;
    Bytes base = 256_MiB;       // unpacked bytes that any package may have
    std::uint64_t ratio = 200;  // and that many more for each byte of the .deb
};

// Stages packages with a pool of threads, as many as there are cores, while more are still being added.
class Stager {
  public:
    // Contents go below `directory`, which must be on the file system of the tree that they will be moved into.
    Stager(std::filesystem::path directory, Progress& progress, StagingLimits limits = {});
    ~Stager();  // stops early and waits for the threads
    // `data_copy` may be the place of a copy of its data.tar (data_copy.h), which is used if it is there.
    void add(const deb::Package& package, std::filesystem::path deb, std::filesystem::path data_copy = {});
    // Waits until the package, which must have been added, is staged. The reference is good for the Stager's life.
    // Throws the first failure of any package, Error(archive) "cannot unpack NAME VERSION: ...", Error(disk), or
    // Error(interrupted).
    const StagedPackage& get(const deb::Package& package);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Stages one .deb; the Stager's unit of work.
StagedPackage stage_package(const deb::Package& package, const std::filesystem::path& deb,
                            const std::filesystem::path& directory, const StagingLimits& limits,
                            const std::filesystem::path& data_copy = {});

}  // namespace vprov::unpack
