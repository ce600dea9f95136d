// The way from a mirror to verified bytes on this machine: Release files, Packages files, .debs, and their cache.
// Reads the network through Transport and writes to the cache directory only.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "bootstrap/archive/transport.h"
#include "bootstrap/deb/package_index.h"
#include "os/command.h"
#include "os/temp_dir.h"

namespace vprov::archive {

struct Repository {
    std::string uri;                      // "http://mirror.example.org/debian"; http, https, ftp or file
    std::string suite;                    // "bookworm-updates"; "./" or "PATH/" for a flat repository
    std::vector<std::string> components;  // {"main"}; none for a flat repository
    std::filesystem::path signed_by;      // keyring for gpgv (binary or armoured .asc)
    bool trusted = false;                 // no signature wanted: spelled out in the recipe, recorded in the manifest
    bool check_valid_until = true;        // off: Valid-Until and "older than the one seen last" do not count
    bool allow_weak_digests = false;      // SHA-1 and MD5 count where there is no SHA-256; recorded in the manifest
    std::string embedded_key = {};        // armoured, in place of signed_by; "" : none
    std::vector<std::string> architectures{};  // for no others than these is it asked; none: for all
};

// Shared by concurrent builds; entries appear by rename and carry in their modification time when they were used last.
//   DIR/sha256/ab/abcdef...  .debs and Packages files as they were fetched, under their digest
//   DIR/index/HEX            package indices as they were read (index_store.h)
//   DIR/data/HEX             copies of what is in the .deb of that digest (unpack/data_copy.h)
//   DIR/layers/NAME          configured trees; files or directories
//   DIR/releases             InRelease files as they were fetched last (release_store.h)
//   DIR/weak/HEX             links to .debs from SHA-1 and MD5, of archives that have no better
//   DIR/partial, DIR/seen    what is on its way; the date of the Release seen last for each repository and suite
//   DIR/users                a locked directory for each Cache object: no entry that was used since the oldest of them
//                            was made is pruned
class Cache {
  public:
    explicit Cache(const std::filesystem::path& directory);  // made when missing
    // $XDG_CACHE_HOME/vprov, ~/.cache/vprov, or /var/cache/vprov for root
    static std::filesystem::path default_directory();
    // How much it may hold: $VPROV_CACHE_SIZE ("20G"), else 10 GiB. Throws Error(usage) for what is not a size.
    static Bytes default_bound();
    std::filesystem::path path_of(const Sha256Digest& digest) const;
    std::filesystem::path data_copy_of(const Sha256Digest& digest) const;  // whether it is there or not
    // What the package's .deb is kept under: its SHA-256, and for one that has a weak digest only the SHA-256 of what
    // had it when it was fetched; nullopt for such a one that was not.
    std::optional<Sha256Digest> digest_of(const deb::Package& package) const;
    void remember_digest(const deb::Package& package, const Sha256Digest& digest) const;  // throws Error(disk)
    // The entry if it is there with that size, from now on used; its digest was checked when it was published.
    std::optional<std::filesystem::path> find(const Sha256Digest& digest, Bytes size) const;
    // Tells that the entry is used now. What is not there, or another user's, stays as it is.
    static void mark_used(const std::filesystem::path& entry) noexcept;
    // While it is held nothing is pruned: for the time between finding entries and marking them. Throws Error(disk).
    os::FileLock hold() const;
    const std::filesystem::path& directory() const { return directory_; }

  private:
    std::filesystem::path directory_;
    std::shared_ptr<os::TempDir> use_;
};

// Packages that somebody else vouches for, and has: a release and its Packages file.
struct LocalPackages {
    deb::Release release;
    std::string text;
};

// Verifies every Release (InRelease, or Release with Release.gpg), then fetches and verifies the Packages files of
// `architectures` (by hash where the Release offers it), all of them at the same time. Repositories keep their order.
// `today` is seconds since the epoch. Refused with Error(archive), naming the repository: a Release that is not signed
// by a key of `signed_by`, is for another suite, has expired, lies in the future, is older than the one seen last, or
// lacks a component; a Packages file whose size or digest is not the listed one, after a second try past the caches.
// A foreign architecture that a repository lacks is a warning, as for apt. Beginning and end of the stage are the
// caller's to tell. `local` comes behind the repositories; an index with such packages is not kept in the cache.
deb::PackageIndex fetch_index(const std::vector<Repository>& repositories, const deb::Architectures& architectures,
                              Transport& transport, os::CommandRunner& runner, Cache& cache, std::int64_t today,
                              Progress& progress, const std::vector<LocalPackages>& local = {});

struct DebFile {
    const deb::Package* package = nullptr;
    std::filesystem::path path;  // in the cache; digest verified during this run
    Sha256Digest digest;
    bool was_cached = false;  // not fetched during this run
};

// Called from the fetching thread as each file is complete and verified, in order of completion.
using OnDebFile = std::function<void(const DebFile&)>;

// All of them, in parallel, largest first; what the cache holds is verified on all cores and not fetched. Throws
// Error(archive) naming package and URL, Error(disk) when the cache cannot be written, Error(interrupted) on a stop
// request; what on_file throws ends everything too. A package that its repository does not have is looked for at its
// path below each of `other_mirrors`. What is complete by then stays in the cache. Calls
// progress.advanced(Stage::fetch, ...) only.
std::vector<DebFile> fetch_packages(const deb::PackageIndex& index, const std::vector<const deb::Package*>& packages,
                                    Transport& transport, Cache& cache, Progress& progress,
                                    const OnDebFile& on_file = {}, const std::vector<std::string>& other_mirrors = {});

// Answers from what `cache` (its directory) holds, Release files as they were verified last, and everything else as
// missing: for work without a network.
std::unique_ptr<Transport> make_cache_transport(const std::filesystem::path& cache);

}  // namespace vprov::archive
