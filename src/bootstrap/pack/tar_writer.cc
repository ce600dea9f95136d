#include "bootstrap/pack/tar_writer.h"

#include <archive.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <map>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/pack/tree_entry.h"
#include "os/fd.h"
#include "os/interrupt.h"
#include "os/tree_files.h"

namespace vprov::pack {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kPortion = 1 << 20;
constexpr int kRecord = 10240;           // what a tar that is not packed is a multiple of
constexpr int kRecords = 100 * kRecord;  // at once

struct FreeWriter {
    void operator()(archive* writer) const { ::archive_write_free(writer); }
};
using Writer = std::unique_ptr<archive, FreeWriter>;

la_ssize_t write_portion(archive* writer, void* fd, const void* data, std::size_t size) {
    while (true) {
        const auto count = ::write(*static_cast<const int*>(fd), data, size);
        if (count >= 0)
            return count;
        if (errno == EINTR)
            continue;
        ::archive_set_error(writer, errno, "%s", system_error(ErrorKind::disk, errno, "cannot write the tar").what());
        return -1;
    }
}

Error failure_of(archive* writer) {
    const char* said = ::archive_error_string(writer);
    return error(ErrorKind::disk, "{}", said ? said : "cannot write the tar");
}

// Two at least: with one thread liblzma and libzstd cut the stream in another way, and the bytes would differ.
std::string threads() {
    return std::to_string(std::max(2U, std::thread::hardware_concurrency()));
}

void set_compression(archive* writer, Compression compression) {
    int result = ARCHIVE_OK;
    if (compression == Compression::gzip) {
        result = ::archive_write_add_filter_gzip(writer);
        ::archive_write_set_filter_option(writer, "gzip", "timestamp", nullptr);  // else the time of the run is in it
    } else if (compression == Compression::xz) {
        result = ::archive_write_add_filter_xz(writer);
        ::archive_write_set_filter_option(writer, "xz", "threads", threads().c_str());
    } else if (compression == Compression::zstd) {
        result = ::archive_write_add_filter_zstd(writer);
        ::archive_write_set_filter_option(writer, "zstd", "threads", threads().c_str());
    }
    if (result != ARCHIVE_OK)
        throw failure_of(writer);
    if (compression == Compression::none)
        ::archive_write_set_bytes_per_block(writer, kRecords);
    ::archive_write_set_bytes_in_last_block(writer, compression == Compression::none ? kRecord : 1);
}

class TarWriter {
  public:
    TarWriter(const fs::path& tree, int fd, const TarOptions& options)
        : tree_(tree), fd_(fd), options_(options), writer_(::archive_write_new()), buffer_(kPortion, '\0') {
        set_compression(writer_.get(), options.compression);
        if (::archive_write_set_format_pax_restricted(writer_.get()) != ARCHIVE_OK ||
            ::archive_write_set_format_option(writer_.get(), "pax", "xattrheader", "SCHILY") != ARCHIVE_OK ||
            ::archive_write_open(writer_.get(), &fd_, nullptr, write_portion, nullptr) != ARCHIVE_OK)
            throw failure_of(writer_.get());
        for (const auto& device : options.devices) devices_[device.path] = &device;
    }

    void write() {
        write_folder("");
        if (::archive_write_close(writer_.get()) != ARCHIVE_OK)
            throw failure_of(writer_.get());
    }

  private:
    void write_folder(const std::string& path) {
        os::check_stop();
        write_member(path);
        const auto below = path.empty() ? "" : path + "/";
        auto names = os::sorted_names(tree_ / path);
        for (const auto& [place, device] : devices_)
            if (fs::path(place).parent_path() == path)
                names.push_back(fs::path(place).filename());
        std::ranges::sort(names);
        names.erase(std::unique(names.begin(), names.end()), names.end());
        for (const auto& name : names) write_named(below + name);
    }

    void write_named(const std::string& path) {
        if (options_.left_out.contains(path))
            return;
        const auto device = devices_.find(path);
        if (device != devices_.end() && !fs::exists(fs::symlink_status(tree_ / path)))
            write_device(*device->second);
        else if (fs::is_directory(fs::symlink_status(tree_ / path)))
            write_folder(path);
        else
            write_member(path);
    }

    EntryPointer new_entry(const std::string& path) const {
        EntryPointer entry(::archive_entry_new());
        ::archive_entry_set_pathname(entry.get(), path.empty() ? "./" : ("./" + path).c_str());
        return entry;
    }

    std::int64_t time_of(std::int64_t seconds) const {
        return std::min(seconds, options_.latest_time.value_or(seconds));
    }

    void write_device(const DeviceNode& device) {
        const auto entry = new_entry(device.path);
        ::archive_entry_set_mode(entry.get(), device.mode);
        ::archive_entry_set_rdev(entry.get(), makedev(device.major, device.minor));
        ::archive_entry_set_mtime(entry.get(),
                                  time_of(os::status_of(tree_ / fs::path(device.path).parent_path()).st_mtime), 0);
        write_header(entry.get());
    }

    void write_member(const std::string& path) {
        const auto place = tree_ / path;
        const auto status = os::status_of(place);
        if (S_ISSOCK(status.st_mode))
            return;
        const auto entry = new_entry(path);
        ::archive_entry_set_mode(entry.get(), status.st_mode);
        ::archive_entry_set_uid(entry.get(), status.st_uid);
        ::archive_entry_set_gid(entry.get(), status.st_gid);
        ::archive_entry_set_mtime(entry.get(), time_of(status.st_mtime), 0);
        ::archive_entry_set_size(entry.get(), 0);
        if (is_second_link(path, status, entry.get()))
            return write_header(entry.get());
        add_attributes(entry.get(), place);
        if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
            ::archive_entry_set_rdev(entry.get(), status.st_rdev);
        if (S_ISLNK(status.st_mode))
            ::archive_entry_set_symlink(entry.get(), fs::read_symlink(place).c_str());
        if (S_ISREG(status.st_mode))
            return write_file(place, status, entry.get());
        write_header(entry.get());
    }

    bool is_second_link(const std::string& path, const struct stat& status, archive_entry* entry) {
        if (S_ISDIR(status.st_mode) || status.st_nlink < 2)
            return false;
        const auto [first, is_new] = links_.try_emplace({status.st_dev, status.st_ino}, "./" + path);
        if (!is_new)
            ::archive_entry_set_hardlink(entry, first->second.c_str());
        return !is_new;
    }

    void write_file(const fs::path& place, const struct stat& status, archive_entry* entry) {
        const auto file = os::open_file(place, O_RDONLY | O_NOFOLLOW);
        ::archive_entry_set_size(entry, status.st_size);
        write_header(entry);
        for (auto rest = status.st_size; rest > 0;) {
            os::check_stop();
            const auto count = ::read(file.get(), buffer_.data(), std::min<std::size_t>(buffer_.size(), rest));
            if (count <= 0)
                throw system_error(ErrorKind::disk, count == 0 ? EIO : errno, "cannot read " + quote(place.native()));
            if (::archive_write_data(writer_.get(), buffer_.data(), static_cast<std::size_t>(count)) < 0)
                throw failure_of(writer_.get());
            rest -= count;
        }
    }

    void write_header(archive_entry* entry) {
        if (::archive_write_header(writer_.get(), entry) < ARCHIVE_WARN)
            throw failure_of(writer_.get());
    }

    const fs::path& tree_;
    int fd_;
    const TarOptions& options_;
    Writer writer_;
    std::string buffer_;
    std::map<std::string, const DeviceNode*> devices_;
    std::map<std::pair<dev_t, ino_t>, std::string> links_;  // of files with several names, the first one
};

}  // namespace

void write_tar(const fs::path& tree, int fd, const TarOptions& options) {
    TarWriter(tree, fd, options).write();
}

}  // namespace vprov::pack
