// dpkg's database in the guest, /var/lib/dpkg, written as dpkg 1.21 writes it when it unpacks a package.
//
// Formats: dpkg's own sources and deb-triggers(5), deb-conffiles(5), dpkg-divert(1). dpkg itself rewrites status at
// its next run, so what counts here is the meaning of the fields and not their order.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bootstrap/unpack/staging.h"
#include "bootstrap/unpack/stat_overrides.h"
#include "os/root_dir.h"

namespace vprov::unpack {

struct Diversion {
    std::string to;       // absolute path
    std::string package;  // whose own file stays where it is; ":" for a local diversion
};

// In memory until flush(); maintainer scripts must only run on a flushed database, and load_diversions() has to be
// called after they have run.
class DpkgDatabase {
  public:
    // Makes the directories and files that an empty database has.
    DpkgDatabase(const os::RootDir& root, const deb::Architectures& architectures);

    // The package as unpacked: info files, file list, trigger interests, status. `paths` are those it owns, absolute.
    void add(const StagedPackage& package, std::vector<std::string> paths);
    // dpkg --configure --pending is to pass this package over, which is about to be added: it gets the selection
    // "unknown" (dpkg(1)). Somebody else runs its postinst.
    void set_aside(std::string_view package) { set_aside_.emplace(package); }
    // That script has succeeded: what was set aside is installed. For flushed packages, while no dpkg runs.
    void mark_set_aside_installed();
    // A later package that Replaces this one took `path` over, from all its architectures.
    void remove_path(std::string_view package, std::string_view path);
    // Writes what is new. Activated file triggers go to triggers/Unincorp, from where dpkg takes those of packages that
    // are configured; the others' postinsts are still to run in any case.
    void flush();

    void load_diversions();
    // Where `path` (absolute) of `package` goes; nullopt where it goes to its own place.
    std::optional<std::string> diverted(std::string_view path, std::string_view package) const;

    // nullptr where `path` (absolute) is as its package has it. As for dpkg, the statoverride file is read once: what
    // scripts add to it does not count for what is unpacked later.
    const StatOverride* stat_override(std::string_view path) const;

    static std::string info_name(const deb::Package& package);  // "libc6:amd64" for Multi-Arch: same, else the name

  private:
    struct Interest {
        std::string package;
        bool await = true;
    };

    void add_interests(const StagedPackage& package);
    void activate_file_triggers(const StagedPackage& package, const std::vector<std::string>& paths);
    static std::string md5sums(const StagedPackage& package, const std::vector<std::string>& paths);
    std::string status_stanza(const StagedPackage& package) const;
    void load_stat_overrides();
    void write_lists();
    void write_triggers();

    const os::RootDir& root_;
    std::map<std::string, std::vector<std::string>, std::less<>> lists_;       // info name -> paths, in dpkg's order
    std::map<std::string, std::vector<std::string>, std::less<>> info_names_;  // package -> one for each architecture
    std::set<std::string, std::less<>> changed_lists_;
    std::string new_status_;
    std::set<std::string, std::less<>> set_aside_;
    std::vector<std::pair<std::string, Interest>> file_interests_;  // path -> who, in order
    std::map<std::string, std::vector<Interest>, std::less<>> explicit_interests_;
    std::map<std::string, std::set<std::string>, std::less<>> activated_;  // trigger -> awaiting packages, "-" for none
    std::map<std::string, Diversion, std::less<>> diversions_;
    std::map<std::string, StatOverride, std::less<>> stat_overrides_;
    std::string written_file_interests_;
};

}  // namespace vprov::unpack
