// Puts staged packages into the guest's tree, one after the other, as dpkg would unpack them.
//
// Every path is resolved inside the tree by os::RootDir; contents are moved, not copied.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "bootstrap/unpack/dpkg_database.h"
#include "bootstrap/unpack/staging.h"
#include "os/root_dir.h"

namespace vprov::unpack {

class TreeMerger {
  public:
    TreeMerger(const os::RootDir& root, DpkgDatabase& database) : root_(root), database_(database) {}

    // Moves the package's entries to their places and adds it to the database. The rules are dpkg's: a directory that
    // exists keeps its mode; a link to a directory stays where a package has a directory (the merged /usr); conffiles
    // become NAME.dpkg-new; diverted paths go where the diversion says; a file of another package is replaced only
    // by one that Replaces it; packages of two architectures share what is the same in both; the statoverride file has
    // the last word on owners and modes. Throws Error(packages) "cannot unpack NAME VERSION: ..." otherwise,
    // Error(disk) when the file system refuses. The staging directory is removed.
    void merge(const StagedPackage& package);

    // After something else changed the tree: a script may have put a link where a directory was.
    void forget_directories() { directories_.clear(); }

  private:
    struct Place {
        int directory;
        std::string name;
    };
    enum class Verdict { write, keep_other, share };

    void merge_entry(const StagedPackage& package, const Entry& entry, std::vector<std::string>& paths);
    void put(const StagedPackage& package, const Entry& entry, const Place& place);
    bool already_there(const StagedPackage& package, const Entry& entry, const Place& place) const;
    bool is_same_conffile(const StagedPackage& package, const Entry& entry, const std::string& path) const;
    static Sha256Digest digest_of(const StagedPackage& package, const Entry& entry);
    void apply_override(const Place& place, std::string_view path) const;
    Verdict settle_owner(const StagedPackage& package, const std::string& path);
    void put_directory(const Entry& entry, const std::string& path);
    void put_file(const StagedPackage& package, const Entry& entry, const Place& place);
    void put_symlink(const Entry& entry, const Place& place);
    void put_hardlink(const StagedPackage& package, const Entry& entry, const Place& place);
    void put_pipe(const Entry& entry, const Place& place);
    Place place_of(const std::string& path);
    std::string final_path(const StagedPackage& package, std::string_view path) const;
    bool replaces(const StagedPackage& package, std::string_view other) const;

    const os::RootDir& root_;
    DpkgDatabase& database_;
    std::unordered_map<std::string, os::Fd> directories_;          // opened once; dropped when many
    std::unordered_map<std::string, const deb::Package*> owners_;  // of files and links, by packaged path
    std::unordered_map<std::string_view, const deb::Package*> merged_;
    std::set<std::string, std::less<>> conffiles_;  // of the package being merged
    // As they were shipped by packages that are Multi-Arch: same; in the tree they may have been moved to their places.
    std::unordered_map<std::string, Sha256Digest> shared_conffiles_;
};

}  // namespace vprov::unpack
