#include "bootstrap/pack/tar_reader.h"

#include <archive.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/pack/tree_entry.h"
#include "os/interrupt.h"

namespace vprov::pack {
namespace {

constexpr std::size_t kPortion = 1 << 20;

struct FreeReader {
    void operator()(archive* reader) const { ::archive_read_free(reader); }
};

class TarReader {
  public:
    TarReader(const std::filesystem::path& tar, const os::RootDir& root) : root_(root), reader_(::archive_read_new()) {
        ::archive_read_support_format_tar(reader_.get());
        if (::archive_read_open_filename(reader_.get(), tar.c_str(), kPortion) != ARCHIVE_OK)
            throw failure("its beginning");
    }

    void read() {
        archive_entry* entry = nullptr;
        for (std::size_t count = 0;; ++count) {
            if ((count & 63) == 0)
                os::check_stop();
            const int result = ::archive_read_next_header(reader_.get(), &entry);
            if (result == ARCHIVE_EOF)
                break;
            if (result < ARCHIVE_WARN)
                throw failure("a member");
            make(entry);
        }
        for (auto place = folders_.rbegin(); place != folders_.rend(); ++place) set_times(place->first, place->second);
    }

  private:
    Error failure(std::string_view what) const {
        const char* said = ::archive_error_string(reader_.get());
        return error(ErrorKind::disk, "cannot read {} of the tar: {}", what, said ? said : "unknown cause");
    }

    static void must(int result, const std::string& path) {
        if (result != 0)
            throw system_error(ErrorKind::disk, errno, "cannot make " + quote(path));
    }

    // Members come folder by folder, so the last folder is nearly always the right one.
    const os::RootDir::Place& place_of(const std::string& path) {
        const auto slash = path.rfind('/');
        const auto folder = slash == std::string::npos ? std::string() : path.substr(0, slash);
        if (!place_.directory.is_open() || folder != folder_) {
            place_.directory = root_.open("/" + folder, O_PATH | O_DIRECTORY);
            folder_ = folder;
        }
        place_.name = path.substr(slash == std::string::npos ? 0 : slash + 1);
        return place_;
    }

    void make(archive_entry* entry) {
        std::string path = ::archive_entry_pathname(entry);
        path.erase(0, path.starts_with("./") ? 2 : 0);
        while (path.ends_with('/')) path.pop_back();
        if (path.empty())
            return make_root(entry);
        const auto& [directory, name] = place_of(path);
        if (const char* target = ::archive_entry_hardlink(entry)) {
            const auto first = root_.parent_of(std::string_view(target).substr(1));
            return must(::linkat(first.directory.get(), first.name.c_str(), directory.get(), name.c_str(), 0), path);
        }
        switch (::archive_entry_filetype(entry)) {
            case AE_IFREG:
                return make_file(entry, path);
            case AE_IFDIR:
                must(::mkdirat(directory.get(), name.c_str(), 0700), path);
                break;
            case AE_IFLNK:
                must(::symlinkat(::archive_entry_symlink(entry), directory.get(), name.c_str()), path);
                break;
            default:
                if (::mknodat(directory.get(), name.c_str(), ::archive_entry_mode(entry),
                              ::archive_entry_rdev(entry)) != 0) {
                    if (errno == EPERM)
                        return;
                    must(-1, path);
                }
        }
        set_owner(entry, directory.get(), name, path);
        if (::archive_entry_filetype(entry) == AE_IFDIR)
            folders_.emplace_back(path, ::archive_entry_mtime(entry));
        else
            must(::utimensat(directory.get(), name.c_str(), times(entry).data(), AT_SYMLINK_NOFOLLOW), path);
    }

    void make_root(archive_entry* entry) {
        must(::fchmodat(root_.fd(), ".", ::archive_entry_perm(entry), 0), "/");
        folders_.emplace_back("", ::archive_entry_mtime(entry));
    }

    static std::array<timespec, 2> times(archive_entry* entry) {
        const auto seconds = ::archive_entry_mtime(entry);
        return {{{seconds, 0}, {seconds, 0}}};
    }

    // Owner first: chown(2) clears the setuid bits that chmod(2) sets.
    static void set_owner(archive_entry* entry, int directory, const std::string& name, const std::string& path) {
        const auto uid = static_cast<uid_t>(::archive_entry_uid(entry));
        const auto gid = static_cast<gid_t>(::archive_entry_gid(entry));
        if (uid != 0 || gid != 0)
            must(::fchownat(directory, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW), path);
        if (::archive_entry_filetype(entry) != AE_IFLNK)
            must(::fchmodat(directory, name.c_str(), ::archive_entry_perm(entry), 0), path);
    }

    void make_file(archive_entry* entry, const std::string& path) {
        const auto& [directory, name] = place_;
        const os::Fd file(::openat(directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        must(file.is_open() ? 0 : -1, path);
        const void* block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        int result = ARCHIVE_OK;
        while ((result = ::archive_read_data_block(reader_.get(), &block, &size, &offset)) == ARCHIVE_OK)
            os::write_all(file.get(), {static_cast<const char*>(block), size}, path);
        if (result != ARCHIVE_EOF)
            throw failure(quote(path));
        const auto uid = static_cast<uid_t>(::archive_entry_uid(entry));
        const auto gid = static_cast<gid_t>(::archive_entry_gid(entry));
        if (uid != 0 || gid != 0)
            must(::fchown(file.get(), uid, gid), path);
        set_attributes(entry, file.get(), path);
        must(::fchmod(file.get(), ::archive_entry_perm(entry)), path);
        must(::futimens(file.get(), times(entry).data()), path);
    }

    static void set_attributes(archive_entry* entry, int file, const std::string& path) {
        ::archive_entry_xattr_reset(entry);
        const char* name = nullptr;
        const void* value = nullptr;
        std::size_t size = 0;
        while (::archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
            must(::fsetxattr(file, name, value, size, 0), path);
    }

    void set_times(const std::string& path, std::int64_t seconds) const {
        const auto folder = root_.open("/" + path, O_RDONLY | O_DIRECTORY);
        const std::array<timespec, 2> both = {{{seconds, 0}, {seconds, 0}}};
        must(::futimens(folder.get(), both.data()), path);
    }

    const os::RootDir& root_;
    std::unique_ptr<archive, FreeReader> reader_;
    std::string folder_;
    os::RootDir::Place place_;
    std::vector<std::pair<std::string, std::int64_t>> folders_;  // their times are set when they are full
};

}  // namespace

void read_tar(const std::filesystem::path& tar, const os::RootDir& root) {
    TarReader(tar, root).read();
}

}  // namespace vprov::pack
