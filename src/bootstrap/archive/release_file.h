// The Release file of a suite: what it says, and whether it may be used. Pure.
// Format: https://wiki.debian.org/DebianRepository/Format ("Release" files); the rules are those of apt's
// debReleaseIndex::Load() unless said otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "bootstrap/archive/archive.h"

namespace vprov::archive {

struct ListedFile {
    Sha256Digest digest;  // zeros where there is a weak one
    Bytes size;
    std::string weak = {};  // hex of SHA-1 or MD5, where the Release file has no SHA-256

    bool is_weak() const { return !weak.empty(); }
    DigestKind kind() const;                          // of what is listed
    std::string_view kind_name() const;               // "SHA-256"
    std::string hex() const;                          // as listed
    std::string hex_of(std::string_view data) const;  // of `data`, to be compared
};

struct ReleaseFile {
    std::string origin, label, suite, codename, version, date, valid_until;  // verbatim; "" where it has none
    std::optional<std::int64_t> date_seconds, valid_until_seconds;           // since the epoch
    bool by_hash = false, not_automatic = false, but_automatic_upgrades = false;
    std::vector<std::string> architectures, components;    // empty: the file does not say
    bool packages_of_all_apart = false;                    // what is Architecture: all stands in binary-all only
    std::map<std::string, ListedFile, std::less<>> files;  // of its SHA256 field: Packages files
    DigestKind digests = DigestKind::sha256;               // weaker: of its SHA1 or MD5Sum field, as it has no better
};

// Throws Error(archive) "cannot read line N: CAUSE" for what is not a Release file with sums.
ReleaseFile parse_release(std::string_view text);

// "Sat, 11 Jul 2026 10:16:37 UTC" (RFC 1123; UTC, GMT, Z and +0000) in seconds since the epoch.
std::optional<std::int64_t> parse_date(std::string_view text);
std::string date_text(std::int64_t seconds);  // "2026-07-11 10:16:37 UTC"

// Throws Error(archive) with the bare cause when `release` is not for the suite, not valid at `today`, or lacks a
// component of `repository` or `architecture`. One hour of difference between the clocks is forgiven.
void check_usable(const ReleaseFile& release, const Repository& repository, std::string_view architecture,
                  std::int64_t today);

constexpr Bytes kLargestPackagesFile = 1_GiB;  // as text; sid's main has 60 MB

// One Packages file to be read: how it comes, and what it must be.
struct IndexFile {
    std::string path;                 // relative to the Release file, with the suffix: "main/binary-amd64/Packages.xz"
    ListedFile fetched;               // as it comes over the network
    std::optional<ListedFile> plain;  // decompressed; nullopt when the Release does not list that
    bool by_hash = false;
    // Where it is to be had, relative to the Release file.
    std::string by_hash_path() const;
};

// The Packages files of `architectures` (and of "all" where those are apart), component by component and in each the
// native ones first: apt's order. Throws Error(archive) with the bare cause when one that must be there is not listed;
// those of foreign architectures need not be.
std::vector<IndexFile> packages_files(const ReleaseFile& release, const Repository& repository,
                                      const deb::Architectures& architectures);

// The foreign architectures that `repository` is asked for and has no packages for: its Release says so.
std::vector<std::string> lacking_architectures(const ReleaseFile& release, const Repository& repository,
                                               const deb::Architectures& architectures);

// A suite that ends in "/" is a path: Release and Packages stand in it, there is no dists/ (sources.list(5)).
bool is_flat(const Repository& repository);

}  // namespace vprov::archive
