#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <limits>
#include <unordered_map>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "bootstrap/deb/stanza.h"
#include "bootstrap/deb/version.h"
#include "bootstrap/unpack/data_copy.h"
#include "bootstrap/unpack/staging.h"
#include "os/fd.h"
#include "os/interrupt.h"

namespace vprov::unpack {
namespace fs = std::filesystem;
namespace {

enum class Md5 { skip, compute };

// A member's path as the dpkg database writes it, less the leading slash. Refuses what leaves the package.
std::string member_path(std::string_view raw) {
    std::string clean;
    for (const auto part : split(raw, '/')) {
        if (part.empty() || part == ".")
            continue;
        if (part == "..")
            throw error(ErrorKind::archive, "its member {} leads out of it", shown(raw));
        if (part.size() > NAME_MAX)
            throw error(ErrorKind::archive, "its member {} has a name of {} bytes", shown(raw), part.size());
        if (!clean.empty())
            clean += '/';
        clean += part;
    }
    if (clean.size() + 1 >= PATH_MAX)
        throw error(ErrorKind::archive, "its member {} has a path of {} bytes", shown(raw), clean.size());
    if (clean.find('\n') != std::string::npos)
        throw error(ErrorKind::archive, "its member {} has a newline in its name", shown(raw));
    return clean;
}

// (uid_t)-1 is not an owner: chown(2) would leave the file to root.
std::uint32_t owner_of(std::int64_t id, std::string_view path) {
    if (id < 0 || id >= std::numeric_limits<std::uint32_t>::max())
        throw error(ErrorKind::archive, "its member {} belongs to {}, which is no user or group", shown(path), id);
    return static_cast<std::uint32_t>(id);
}

class Extraction {
  public:
    Extraction(TarReader reader, const fs::path& directory, Md5 md5)
        : reader_(std::move(reader)), directory_(os::open_file(directory, O_RDONLY | O_DIRECTORY)), md5_(md5) {}

    std::vector<Entry> run() {
        while (auto* header = reader_.next()) {
            if ((entries_.size() & 63) == 0)
                os::check_stop();
            entries_.push_back(read_entry(header));
        }
        return std::move(entries_);
    }

  private:
    Entry read_entry(archive_entry* header) {
        Entry entry;
        entry.path = member_path(archive_entry_pathname(header));
        entry.mode = archive_entry_perm(header) & 07777;
        entry.uid = owner_of(archive_entry_uid(header), entry.path);
        entry.gid = owner_of(archive_entry_gid(header), entry.path);
        entry.mtime = archive_entry_mtime(header);
        if (const char* link = archive_entry_hardlink(header)) {
            entry.kind = EntryKind::hardlink;
            entry.target = member_path(link);
            if (!linkable_.contains(entry.target))
                throw error(ErrorKind::archive, "its member {} is a hard link to {}, which is not in it",
                            shown(entry.path), shown(link));
            reader_.expect_no_content();
            entry.md5 = entries_[linkable_.at(entry.target)].md5;
            return entry;
        }
        read_kind(header, entry);
        if (entry.kind != EntryKind::file)
            reader_.expect_no_content();
        if (entry.path.empty() && entry.kind != EntryKind::directory)
            throw error(ErrorKind::archive, "its root is not a directory");
        return entry;
    }

    void read_kind(archive_entry* header, Entry& entry) {
        switch (archive_entry_filetype(header)) {
            case AE_IFREG:
                entry.kind = EntryKind::file;
                entry.content = next_content_++;
                write_content(entry);
                break;
            case AE_IFDIR:
                entry.kind = EntryKind::directory;
                break;
            case AE_IFLNK: {
                entry.kind = EntryKind::symlink;
                const char* target = archive_entry_symlink(header);
                entry.target = target ? target : "";
                if (entry.target.empty() || entry.target.size() >= PATH_MAX)
                    throw error(ErrorKind::archive, "its symbolic link {} has a target of {} bytes", shown(entry.path),
                                entry.target.size());
                break;
            }
            case AE_IFIFO:
                entry.kind = EntryKind::fifo;
                break;
            case AE_IFCHR:
            case AE_IFBLK:  // Debian Policy 10.6: they are made by scripts, where a guest has them at all
                throw error(ErrorKind::archive, "its member {} is a device node, which no package may bring",
                            shown(entry.path));
            default:
                throw error(ErrorKind::archive, "its member {} is of an unknown kind", shown(entry.path));
        }
        if (entry.kind != EntryKind::directory)
            linkable_[entry.path] = entries_.size();
    }

    void write_content(Entry& entry) {
        const os::Fd fd(::openat(directory_.get(), std::to_string(entry.content).c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!fd.is_open())
            throw system_error(ErrorKind::disk, errno, "cannot write " + quote(entry.path));
        Hasher hasher(DigestKind::md5);
        while (const auto block = reader_.content()) {
            os::write_all(fd.get(), *block, entry.path);
            if (md5_ == Md5::compute)
                hasher.update(block->data(), block->size());
        }
        if (md5_ == Md5::compute)
            entry.md5 = hasher.hex();
        set_attributes(fd.get(), entry);
    }

    // Owner first: chown(2) clears the setuid bits that chmod(2) sets.
    void set_attributes(int fd, const Entry& entry) {
        const std::array<timespec, 2> times = {{{entry.mtime, 0}, {entry.mtime, 0}}};
        if (((entry.uid != 0 || entry.gid != 0) && ::fchown(fd, entry.uid, entry.gid) != 0) ||
            ::fchmod(fd, entry.mode) != 0 || ::futimens(fd, times.data()) != 0)
            throw system_error(ErrorKind::disk, errno, "cannot set owner and mode of " + quote(entry.path));
    }

    TarReader reader_;
    os::Fd directory_;
    Md5 md5_;
    std::uint32_t next_content_ = 0;
    std::vector<Entry> entries_;
    std::unordered_map<std::string, std::size_t> linkable_;  // path -> index in entries_
};

// The index promised a package; another one in its place would be known to dpkg by another name.
void check_identity(const StagedPackage& staged) {
    const auto* control = staged.control_file("control");
    if (!control)
        throw error(ErrorKind::archive, "its control.tar has no control file");
    const auto stanza = deb::read_single_stanza(control->content);
    const auto& promised = *staged.package;
    const auto name = stanza.required("Package"), version = stanza.required("Version"),
               architecture = stanza.required("Architecture");
    if (name != promised.name || deb::compare_versions(version, promised.version) != 0 ||
        architecture != promised.architecture)
        throw error(ErrorKind::archive, "its control file says that it is {} {} for {}", shown(name), shown(version),
                    shown(architecture));
}

}  // namespace

StagedPackage stage_package(const deb::Package& package, const fs::path& deb, const fs::path& directory,
                            const StagingLimits& limits, const fs::path& data_copy) {
    StagedPackage staged;
    staged.package = &package;
    staged.directory = directory;
    try {
        if (::mkdir(directory.c_str(), 0700) != 0)
            throw system_error(ErrorKind::disk, errno, "cannot make " + quote(directory.native()));
        const DebArchive archive(deb);
        staged.control = archive.control();
        check_identity(staged);
        const auto md5 = staged.control_file("md5sums") ? Md5::skip : Md5::compute;
        const TarLimits caps{.members = limits.members,
                             .content = limits.base.value + limits.ratio * fs::file_size(deb)};
        const auto copy = data_copy.empty() ? nullptr : open_data_copy(data_copy);
        auto data = copy ? TarReader(copy->bytes(), caps) : archive.data(caps);
        staged.entries = Extraction(std::move(data), directory, md5).run();
    } catch (Error& e) {
        if (e.kind() != ErrorKind::interrupted)
            e.add_context(fmt::format("cannot unpack {} {}", package.name, package.version));
        throw;
    }
    return staged;
}

}  // namespace vprov::unpack
