#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <unordered_set>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "bootstrap/unpack/staging.h"
#include "os/fd.h"
#include "os/interrupt.h"

namespace vprov::unpack {
namespace fs = std::filesystem;
namespace {

enum class Md5 { skip, compute };

// A member's path as the dpkg database writes it, less the leading slash. Refuses what leaves the package.
std::string member_path(const char* raw) {
    if (!raw)
        throw error(ErrorKind::archive, "a member's name cannot be read");
    std::string clean;
    for (const auto part : split(raw, '/')) {
        if (part.empty() || part == ".")
            continue;
        if (part == "..")
            throw error(ErrorKind::archive, "its member {} leads out of it", quote(raw));
        if (!clean.empty())
            clean += '/';
        clean += part;
    }
    if (clean.find('\n') != std::string::npos)
        throw error(ErrorKind::archive, "its member {} has a newline in its name", quote(raw));
    return clean;
}

class Extraction {
  public:
    Extraction(::archive* reader, const fs::path& directory, Md5 md5, std::uint64_t budget, std::uint64_t members)
        : reader_(reader),
          directory_(os::open_file(directory, O_RDONLY | O_DIRECTORY)),
          md5_(md5),
          budget_(budget),
          members_(members) {}

    std::vector<Entry> run() {
        archive_entry* header = nullptr;
        for (;;) {
            const int result = archive_read_next_header(reader_, &header);
            if (result == ARCHIVE_EOF)
                return std::move(entries_);
            if (result < ARCHIVE_WARN)
                throw error(ErrorKind::archive, "{}", archive_error_string(reader_));
            if (entries_.size() >= members_)
                throw error(ErrorKind::archive, "it has more than {} members", members_);
            if ((entries_.size() & 63) == 0)
                os::check_stop();
            entries_.push_back(read_entry(header));
        }
    }

  private:
    Entry read_entry(archive_entry* header) {
        Entry entry;
        entry.path = member_path(archive_entry_pathname(header));
        entry.mode = archive_entry_perm(header) & 07777;
        entry.uid = static_cast<std::uint32_t>(archive_entry_uid(header));
        entry.gid = static_cast<std::uint32_t>(archive_entry_gid(header));
        entry.mtime = archive_entry_mtime(header);
        if (const char* link = archive_entry_hardlink(header)) {
            entry.kind = EntryKind::hardlink;
            entry.target = member_path(link);
            if (!linkable_.contains(entry.target))
                throw error(ErrorKind::archive, "its member {} is a hard link to {}, which is not in it",
                            quote(entry.path), quote(link));
            return entry;
        }
        read_kind(header, entry);
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
                if (!target || !*target)
                    throw error(ErrorKind::archive, "its symbolic link {} has no target", quote(entry.path));
                entry.target = target;
                break;
            }
            case AE_IFCHR:
                entry.kind = EntryKind::character_device;
                break;
            case AE_IFBLK:
                entry.kind = EntryKind::block_device;
                break;
            case AE_IFIFO:
                entry.kind = EntryKind::fifo;
                break;
            default:
                throw error(ErrorKind::archive, "its member {} is of an unknown kind", quote(entry.path));
        }
        if (entry.kind == EntryKind::character_device || entry.kind == EntryKind::block_device)
            entry.device = makedev(static_cast<unsigned>(archive_entry_rdevmajor(header)),
                                   static_cast<unsigned>(archive_entry_rdevminor(header)));
        if (entry.kind != EntryKind::directory)
            linkable_.insert(entry.path);
    }

    void write_content(Entry& entry) {
        const os::Fd fd(::openat(directory_.get(), std::to_string(entry.content).c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!fd.is_open())
            throw system_error(ErrorKind::disk, errno, "cannot write " + quote(entry.path));
        Hasher hasher(DigestKind::md5);
        std::uint64_t end = 0;
        const void* block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        for (;;) {
            const int result = archive_read_data_block(reader_, &block, &size, &offset);
            if (result == ARCHIVE_EOF)
                break;
            if (result < ARCHIVE_WARN)
                throw error(ErrorKind::archive, "{}", archive_error_string(reader_));
            if (static_cast<std::uint64_t>(offset) != end)
                throw error(ErrorKind::archive, "its member {} is sparse", quote(entry.path));
            end += size;
            if (size > budget_)
                throw error(ErrorKind::archive, "it unpacks to far more than a package of its size holds");
            budget_ -= size;
            os::write_all(fd.get(), {static_cast<const char*>(block), size}, entry.path);
            if (md5_ == Md5::compute)
                hasher.update(block, size);
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

    ::archive* reader_;
    os::Fd directory_;
    Md5 md5_;
    std::uint64_t budget_, members_;
    std::uint32_t next_content_ = 0;
    std::vector<Entry> entries_;
    std::unordered_set<std::string> linkable_;
};

}  // namespace

StagedPackage stage_package(const deb::Package& package, const fs::path& deb, const fs::path& directory,
                            const StagingLimits& limits) {
    StagedPackage staged;
    staged.package = &package;
    staged.directory = directory;
    try {
        if (::mkdir(directory.c_str(), 0700) != 0)
            throw system_error(ErrorKind::disk, errno, "cannot make " + quote(directory.native()));
        const DebArchive archive(deb);
        staged.control = archive.control();
        if (!staged.control_file("control"))
            throw error(ErrorKind::archive, "its control.tar has no control file");
        const auto md5 = staged.control_file("md5sums") ? Md5::skip : Md5::compute;
        const auto budget = (1_GiB).value + limits.ratio * fs::file_size(deb);
        archive.read_data([&](::archive* reader) {
            staged.entries = Extraction(reader, directory, md5, budget, limits.members).run();
        });
    } catch (Error& e) {
        if (e.kind() != ErrorKind::interrupted)
            e.add_context(fmt::format("cannot unpack {} {}", package.name, package.version));
        throw;
    }
    return staged;
}

}  // namespace vprov::unpack
