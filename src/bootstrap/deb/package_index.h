// The packages that the archives offer: what the index stage makes and the resolver reads. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "bootstrap/deb/architectures.h"

namespace vprov::deb {

// One verified Release file; manifest.json and lock files name it.
struct Release {
    std::string uri;                               // of the repository, without a trailing slash
    std::string suite;                             // the word in the sources line ("bookworm-updates")
    std::string origin, label, codename, version;  // as in the file; "" where it has none
    std::string archive;                           // its Suite field: "stable"; "" where it has none
    std::string date;                              // the Date field, verbatim
    std::string valid_until;                       // "" when it has none
    std::string key;             // fingerprint of the key whose good signature counted; "" for a trusted repository
    Sha256Digest digest;         // of the signed text
    bool not_automatic = false;  // NotAutomatic: yes (priority 1, as experimental)
    bool weak_digests = false;   // allowed: packages may have SHA-1 or MD5 sums only
    bool but_automatic_upgrades = false;  // ButAutomaticUpgrades: yes (priority 100, as backports)
    int priority() const;                 // apt's pin priority without preferences: 500, 100 or 1 (apt_preferences(5))
};

// One stanza of a Packages file. Views borrow from the PackageIndex that owns it.
struct Package {
    std::string_view name, version, architecture, multi_arch, priority, section, source;
    std::string_view pre_depends, depends, recommends, suggests, enhances, conflicts, breaks, replaces, provides;
    std::string_view filename;     // relative to the repository's uri
    Sha256Digest sha256;           // zeros where there is a weak digest
    std::string_view weak_digest;  // hex of SHA-1 (40 digits) or MD5 (32), where that is all there is and it is allowed
    Bytes size;                    // of the .deb
    Bytes installed_size;
    bool essential = false;
    bool important = false;      // "Important: yes" or "Protected: yes"
    std::uint32_t release = 0;   // index into PackageIndex::releases()
    std::uint64_t releases = 0;  // bit N: releases()[N] has it; those from the 64th on are not told apart
    bool is_in(std::size_t number) const { return (releases >> std::min<std::size_t>(number, 63) & 1U) != 0; }
    std::uint32_t order = 0;  // position over all files read: apt's tie-breaks follow the order of the sources
};

constexpr std::uint32_t kSnapshotFormat = 2;  // raised with any change to what save() writes

// Owns the texts and the packages of several Packages files, in the order in which they were added, which is the
// order of the sources (the first one has precedence in ties, as for apt).
class PackageIndex {
  public:
    explicit PackageIndex(Architectures architectures);
    PackageIndex(PackageIndex&&) noexcept;
    PackageIndex& operator=(PackageIndex&&) noexcept;
    ~PackageIndex();

    // Parses one Packages file. Throws Error(archive) naming release.uri, release.suite and the line for text that is
    // not a stanza file, a stanza without Package, Version, Architecture, Filename, Size or SHA256 (or where
    // release.weak_digests allows it SHA1 or MD5sum), or a Filename that is absolute or has a ".." part. The same
    // package in two files (equal name, version, architecture and digest) is kept once, from the first, or from the
    // second where that has the higher priority. Packages of none of the architectures are left out. After an error the
    // index must not be used.
    void add(Release release, std::string text);
    // As add(), for a further Packages file (another component) of the release added last.
    void add_to_last(std::string text);

    // Writes all packages and look-ups, but not the releases, as bytes that restore() takes; in large portions. They
    // are for this machine and this version of vprov: kSnapshotFormat belongs into their name.
    void save(const std::function<void(std::string_view)>& write) const;
    // The index that wrote `bytes`, in a fraction of the time that reading its texts took. Views borrow from `bytes`,
    // which `owner` keeps. Nothing can be added. nullopt for bytes that save() did not write for as many releases;
    // beyond that what they say is believed: their digest is for the caller to check.
    static std::optional<PackageIndex> restore(Architectures architectures, std::vector<Release> releases,
                                               std::string_view bytes, std::shared_ptr<const void> owner);

    const Architectures& architectures() const;
    std::string full_name(const Package& package) const;  // "libc6:i386" for one of a foreign architecture
    std::span<const Release> releases() const;
    std::span<const Package> packages() const;  // stable once all files are added
    std::span<const Package* const> versions_of(
        std::string_view name) const;  // of all architectures, in the order of the files
    std::span<const Package* const> providers_of(std::string_view name) const;  // those with it in Provides

    // A second index of the same packages, which live as long as either; for another thread to read while nothing is
    // added.
    PackageIndex share() const;
    // `companion` is destroyed before this index: the future of a thread that reads a share of it, say.
    void accompany(std::shared_ptr<void> companion) { companions_.push_back(std::move(companion)); }

  private:
    struct State;
    std::shared_ptr<State> state_;
    std::vector<std::shared_ptr<void>> companions_;  // after what they use
};

}  // namespace vprov::deb
