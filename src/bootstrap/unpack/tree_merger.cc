#include "bootstrap/unpack/tree_merger.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/relation.h"
#include "bootstrap/unpack/conffiles.h"
#include "os/interrupt.h"

namespace vprov::unpack {
namespace {

constexpr std::size_t kOpenDirectories = 256;  // well below the usual limit of 1024 descriptors

Error failure(std::string_view verb, std::string_view path) {
    return system_error(ErrorKind::disk, errno, fmt::format("cannot {} {}", verb, quote(path)));
}

std::set<std::string, std::less<>> conffiles_of(const StagedPackage& package) {
    std::set<std::string, std::less<>> paths;
    if (const auto* file = package.control_file("conffiles"))
        for (const auto& conffile : read_conffiles(file->content))
            if (!conffile.remove_on_upgrade)
                paths.insert(std::string(conffile.path));
    return paths;
}

void set_times(int directory, const std::string& name, const Entry& entry) {
    const std::array<timespec, 2> times = {{{entry.mtime, 0}, {entry.mtime, 0}}};
    if (::utimensat(directory, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
        throw failure("set the times of", entry.path);
}

void set_owner(int directory, const std::string& name, const Entry& entry) {
    if ((entry.uid != 0 || entry.gid != 0) &&
        ::fchownat(directory, name.c_str(), entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0)
        throw failure("set the owner of", entry.path);
}

bool is_directory(int directory, const std::string& name) {
    struct stat status {};
    return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

[[noreturn]] void throw_different(const StagedPackage& package, std::string_view path) {
    throw error(ErrorKind::packages,
                "trying to overwrite shared {}, which is different from other instances of package {}", quote(path),
                package.package->name);
}

}  // namespace

void TreeMerger::merge(const StagedPackage& package) {
    os::check_stop();
    const auto& self = *package.package;
    try {
        conffiles_ = conffiles_of(package);
        std::vector<std::string> paths;
        paths.reserve(package.entries.size());
        for (const auto& entry : package.entries) merge_entry(package, entry, paths);
        merged_[self.name] = &self;
        database_.add(package, std::move(paths));
        os::remove_tree(package.directory);
    } catch (Error& e) {
        if (e.kind() != ErrorKind::interrupted)
            e.add_context(fmt::format("cannot unpack {} {}", self.name, self.version));
        throw;
    }
}

void TreeMerger::merge_entry(const StagedPackage& package, const Entry& entry, std::vector<std::string>& paths) {
    auto listed = entry.path.empty() ? std::string("/.") : "/" + entry.path;
    if (entry.kind == EntryKind::directory) {
        put_directory(entry, entry.path);
        paths.push_back(std::move(listed));
        return;
    }
    const auto verdict = settle_owner(package, listed);
    if (verdict == Verdict::keep_other)
        return;
    if (verdict == Verdict::share && conffiles_.contains(listed)) {
        if (!is_same_conffile(package, entry, listed))
            throw_different(package, listed);
        paths.push_back(std::move(listed));
        return;
    }
    const auto place = place_of(final_path(package, listed));
    if (is_directory(place.directory, place.name)) {
        if (entry.kind != EntryKind::symlink)
            throw error(ErrorKind::packages, "its {} is a directory of another package", quote(listed));
    } else if (verdict == Verdict::share) {
        if (!already_there(package, entry, place))
            throw_different(package, listed);
    } else {
        if (package.package->multi_arch == "same" && entry.kind == EntryKind::file && conffiles_.contains(listed))
            shared_conffiles_[listed] = digest_of(package, entry);
        put(package, entry, place);
        apply_override(place, listed);
    }
    paths.push_back(std::move(listed));
}

void TreeMerger::put(const StagedPackage& package, const Entry& entry, const Place& place) {
    switch (entry.kind) {
        case EntryKind::file:
            put_file(package, entry, place);
            break;
        case EntryKind::symlink:
            put_symlink(entry, place);
            break;
        case EntryKind::hardlink:
            put_hardlink(package, entry, place);
            break;
        default:
            put_pipe(entry, place);
            break;
    }
}

// dpkg compares files by content and links by target, and takes the rest for the same.
bool TreeMerger::already_there(const StagedPackage& package, const Entry& entry, const Place& place) const {
    if (entry.kind == EntryKind::symlink) {
        std::array<char, PATH_MAX> target{};
        const auto size = ::readlinkat(place.directory, place.name.c_str(), target.data(), target.size());
        return size >= 0 && std::string_view(target.data(), static_cast<std::size_t>(size)) == entry.target;
    }
    if (entry.kind != EntryKind::file)
        return true;
    const os::Fd other(::openat(place.directory, place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    return other.is_open() &&
           os::read_file(other, entry.path) == os::read_file(package.directory / std::to_string(entry.content));
}

Sha256Digest TreeMerger::digest_of(const StagedPackage& package, const Entry& entry) {
    return sha256(os::read_file(package.directory / std::to_string(entry.content)));
}

bool TreeMerger::is_same_conffile(const StagedPackage& package, const Entry& entry, const std::string& path) const {
    const auto shipped = shared_conffiles_.find(path);
    return shipped != shared_conffiles_.end() && entry.kind == EntryKind::file &&
           shipped->second == digest_of(package, entry);
}

void TreeMerger::apply_override(const Place& place, std::string_view path) const {
    const auto* wanted = database_.stat_override(path);
    if (!wanted)
        return;
    if (::fchownat(place.directory, place.name.c_str(), wanted->uid, wanted->gid, AT_SYMLINK_NOFOLLOW) != 0)
        throw failure("set the owner of", path);
    struct stat status {};
    if (::fstatat(place.directory, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(status.st_mode) &&
        ::fchmodat(place.directory, place.name.c_str(), wanted->mode, 0) != 0)
        throw failure("set the mode of", path);
}

std::string TreeMerger::final_path(const StagedPackage& package, std::string_view path) const {
    auto place = database_.diverted(path, package.package->name).value_or(std::string(path));
    if (conffiles_.contains(path))
        place += ".dpkg-new";
    return place;
}

bool TreeMerger::replaces(const StagedPackage& package, std::string_view other) const {
    const auto found = merged_.find(other);
    const auto version = found == merged_.end() ? std::string_view{} : found->second->version;
    deb::RelationReader reader(package.package->replaces);
    for (deb::Relation relation; reader.next(relation);)
        if (relation.name == other && deb::satisfies(version, relation))
            return true;
    return false;
}

TreeMerger::Verdict TreeMerger::settle_owner(const StagedPackage& package, const std::string& path) {
    auto& owner = owners_[path];
    const auto* self = package.package;
    if (owner && owner != self && owner->name == self->name && self->multi_arch == "same")
        return Verdict::share;
    if (!owner || owner == self || database_.diverted(path, self->name) || database_.diverted(path, owner->name)) {
        owner = self;
        return Verdict::write;
    }
    if (replaces(package, owner->name)) {
        database_.remove_path(owner->name, path);
        owner = self;
        return Verdict::write;
    }
    deb::RelationReader reader(owner->replaces);
    for (deb::Relation relation; reader.next(relation);)
        if (relation.name == self->name && deb::satisfies(self->version, relation))
            return Verdict::keep_other;
    throw error(ErrorKind::packages, "trying to overwrite {}, which is also in package {} {}", quote(path), owner->name,
                owner->version);
}

TreeMerger::Place TreeMerger::place_of(const std::string& path) {
    const auto slash = path.rfind('/');
    auto folder = path.substr(0, slash);
    auto found = directories_.find(folder);
    if (found == directories_.end()) {
        if (directories_.size() >= kOpenDirectories)
            directories_.clear();
        auto opened = root_.open_if_exists(folder.empty() ? "." : folder, O_PATH | O_DIRECTORY);
        if (!opened) {  // dpkg asks for the directories in a package; some have files only
            root_.make_directories(folder);
            opened = root_.open(folder, O_PATH | O_DIRECTORY);
        }
        found = directories_.emplace(std::move(folder), std::move(*opened)).first;
    }
    return {found->second.get(), path.substr(slash + 1)};
}

void TreeMerger::put_directory(const Entry& entry, const std::string& path) {
    if (path.empty())
        return;
    if (root_.open_if_exists(path, O_PATH | O_DIRECTORY))
        return;
    const auto place = place_of("/" + path);
    if (::mkdirat(place.directory, place.name.c_str(), 0700) != 0) {
        if (errno == EEXIST)
            throw error(ErrorKind::packages, "its directory {} is a file of another package", quote("/" + path));
        throw failure("make directory", path);
    }
    set_owner(place.directory, place.name, entry);
    if (::fchmodat(place.directory, place.name.c_str(), entry.mode, 0) != 0)
        throw failure("set the mode of", path);
    apply_override(place, "/" + path);
    set_times(place.directory, place.name, entry);
}

void TreeMerger::put_file(const StagedPackage& package, const Entry& entry, const Place& place) {
    const auto content = package.directory / std::to_string(entry.content);
    if (::renameat(AT_FDCWD, content.c_str(), place.directory, place.name.c_str()) != 0)
        throw failure("write", entry.path);
}

void TreeMerger::put_symlink(const Entry& entry, const Place& place) {
    if (::symlinkat(entry.target.c_str(), place.directory, place.name.c_str()) != 0) {
        if (errno != EEXIST)
            throw failure("link", entry.path);
        ::unlinkat(place.directory, place.name.c_str(), 0);
        if (::symlinkat(entry.target.c_str(), place.directory, place.name.c_str()) != 0)
            throw failure("link", entry.path);
    }
    set_owner(place.directory, place.name, entry);
    set_times(place.directory, place.name, entry);
}

void TreeMerger::put_hardlink(const StagedPackage& package, const Entry& entry, const Place& place) {
    const auto first = root_.parent_of(final_path(package, "/" + entry.target));
    ::unlinkat(place.directory, place.name.c_str(), 0);
    if (::linkat(first.directory.get(), first.name.c_str(), place.directory, place.name.c_str(), 0) != 0)
        throw failure("link", entry.path);
}

void TreeMerger::put_pipe(const Entry& entry, const Place& place) {
    ::unlinkat(place.directory, place.name.c_str(), 0);
    if (::mknodat(place.directory, place.name.c_str(), S_IFIFO | 0600, 0) != 0)
        throw failure("make pipe", entry.path);
    set_owner(place.directory, place.name, entry);
    if (::fchmodat(place.directory, place.name.c_str(), entry.mode, 0) != 0)
        throw failure("set the mode of", entry.path);
    set_times(place.directory, place.name, entry);
}

}  // namespace vprov::unpack
