#include "hypervisor/migrate/copied_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/state_dir.h"
#include "os/command.h"
#include "os/interrupt.h"
#include "os/unnamed_file.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSocket = "disks.sock";
constexpr std::size_t kPortion = 256 << 10;

std::string digest_of(const fs::path& path) {
    const auto file = os::open_file(path, O_RDONLY, 0, ErrorKind::hypervisor);
    Hasher hasher(DigestKind::sha256);
    std::vector<char> buffer(kPortion);
    for (ssize_t count = 0; (count = ::read(file.get(), buffer.data(), buffer.size())) > 0;) {
        hasher.update(buffer.data(), static_cast<std::size_t>(count));
        os::check_stop();
    }
    return hasher.hex();
}

// A QEMU has it open: QEMU locks single bytes of its images.
bool is_in_use(const os::Fd& file) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void remove_stale(const fs::path& hidden) {
    std::error_code none;
    if (!fs::exists(hidden, none))
        return;
    const auto file = os::open_file(hidden, O_RDWR, 0, ErrorKind::hypervisor);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0 || is_in_use(file))
        throw error(ErrorKind::hypervisor, "{} is in use there", quote(hidden.native()));
    fs::remove(hidden, none);
}

void receive_bytes(const os::Fd& from, std::uint64_t bytes, const os::Fd& to, const fs::path& path) {
    std::vector<char> buffer(kPortion);
    while (bytes > 0) {
        os::check_stop();
        const auto count = ::recv(from.get(), buffer.data(), std::min<std::uint64_t>(bytes, buffer.size()), 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            throw Error(ErrorKind::hypervisor, "the connection has ended");
        os::write_all(to.get(), {buffer.data(), static_cast<std::size_t>(count)}, path.native());
        bytes -= static_cast<std::uint64_t>(count);
    }
}

}  // namespace

CopiedFiles::CopiedFiles(const Offer& offer) : offer_(offer) {
    for (const auto& copy : offer.copies) {
        File file;
        file.copy = copy;
        const fs::path there = copy.path;
        file.path = (offer.directory.empty() ? there.parent_path() : fs::path(offer.directory)) / there.filename();
        if (!file.path.is_absolute() || file.path.native().starts_with("/dev/"))
            throw error(ErrorKind::hypervisor, "{} is not made there: give a directory for copies",
                        quote(file.path.native()));
        if (std::any_of(files_.begin(), files_.end(), [&](const File& other) { return other.path == file.path; }))
            throw error(ErrorKind::hypervisor, "two of its files would be {}", quote(file.path.native()));
        std::error_code none;
        if (!copy.format.empty() && fs::exists(fs::symlink_status(file.path, none)))
            throw error(ErrorKind::hypervisor, "{} is there already", quote(file.path.native()));
        if (!copy.format.empty())
            file.hidden = file.path.parent_path() / fmt::format(".{}.vprov-move", file.path.filename().native());
        files_.push_back(std::move(file));
    }
}

CopiedFiles::~CopiedFiles() {
    std::error_code none;
    for (const auto& file : files_)
        if (file.made)
            fs::remove(file.hidden.empty() ? file.path : file.hidden, none);
    for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory)
        fs::remove(*directory, none);  // as far as nobody else has put something there
}

void CopiedFiles::make_directory(const fs::path& directory) {
    if (fs::exists(directory))
        return;
    make_directory(directory.parent_path());
    if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST)
        throw system_error(ErrorKind::hypervisor, errno, fmt::format("cannot make {}", quote(directory.native())));
    directories_.push_back(directory);
}

void CopiedFiles::make_disk(File& file) {
    remove_stale(file.hidden);
    if (file.copy.format != "raw") {
        const os::Command command{
            {"qemu-img", "create", "-q", "-f", file.copy.format, file.hidden.native(), std::to_string(file.copy.bytes)},
            os::clean_environment(),
            ""};
        if (!os::program_exists("qemu-img"))
            throw Error(ErrorKind::hypervisor, "qemu-img is not installed there (apt install qemu-utils)");
        file.made = true;
        if (const auto result = os::SystemCommandRunner().run(command); !result.ok())
            throw error(ErrorKind::hypervisor, "cannot make a disk: {}", os::describe_failure(command, result));
    }
    file.lock = os::open_file(file.hidden, O_RDWR | O_CREAT, 0600, ErrorKind::hypervisor);
    file.made = true;
    ::fchmod(file.lock.get(), 0600);
    if (file.copy.format == "raw" && ::ftruncate(file.lock.get(), static_cast<off_t>(file.copy.bytes)) != 0)
        throw system_error(ErrorKind::hypervisor, errno, fmt::format("cannot make {}", quote(file.hidden.native())));
    if (::flock(file.lock.get(), LOCK_EX | LOCK_NB) != 0)
        throw error(ErrorKind::hypervisor, "{} is in use there", quote(file.hidden.native()));
}

void CopiedFiles::receive(Talk& talk, Streams& streams) {
    if (files_.empty())
        return;
    auto digests = nlohmann::json::array();
    for (const auto& file : files_)
        digests.push_back(file.hidden.empty() && fs::exists(file.path) ? digest_of(file.path) : "");
    talk.say({{"files", digests}});
    const auto stream = streams.open(kFileStream);
    for (std::size_t i = 0; i < files_.size(); ++i) {
        auto& file = files_[i];
        make_directory(file.path.parent_path());
        if (!file.hidden.empty()) {
            make_disk(file);
        } else if (digests[i].get_ref<const std::string&>().empty()) {
            os::UnnamedFile made(file.path, 0644);
            receive_bytes(stream, file.copy.bytes, made.fd(), file.path);
            made.commit(os::UnnamedFile::Durability::eventual);
            file.made = true;
        }
    }
}

Guest CopiedFiles::guest() const {
    auto guest = offer_.request.guest;
    for (const auto& file : files_) {
        const auto& path = (file.hidden.empty() ? file.path : file.hidden).native();
        for (auto& disk : guest.disks)
            if (disk.target == file.copy.path)
                disk.target = path;
        if (guest.kernel == file.copy.path)
            guest.kernel = path;
        if (guest.ramdisk == file.copy.path)
            guest.ramdisk = path;
    }
    return guest;
}

void CopiedFiles::open_disks(const Domains& domains, Monitor& monitor, Streams& streams) const {
    if (files_.empty())
        return;
    const auto directory = domains.state().domain(offer_.request.guest.name);
    const auto listening = listen_at(directory, kSocket);
    monitor.execute_with(listening, "getfd", {{"fdname", kSocket}});
    monitor.execute("nbd-server-start", {{"addr", {{"type", "fd"}, {"data", {{"str", kSocket}}}}}});
    auto number = kFirstDiskStream;
    for (const auto& file : files_) {
        if (file.hidden.empty())
            continue;
        const auto node = fmt::format("disk{}", file.copy.disk);
        monitor.execute("block-export-add",
                        {{"type", "nbd"}, {"id", node}, {"node-name", node}, {"name", node}, {"writable", true}});
        streams.attach(number++, connect_to(directory, kSocket));
    }
    std::error_code none;
    fs::remove(directory / kSocket, none);
}

void CopiedFiles::close_disks(Monitor& monitor) const {
    if (!files_.empty())
        monitor.execute("nbd-server-stop");
}

void CopiedFiles::keep() noexcept {
    for (auto& file : files_) {
        if (!file.hidden.empty() &&
            ::renameat2(AT_FDCWD, file.hidden.c_str(), AT_FDCWD, file.path.c_str(), RENAME_NOREPLACE) == 0)
            file.hidden.clear();
        file.made = false;
    }
    directories_.clear();
}

void send_files(const Offer& offer, Talk& talk, Streams& streams) {
    if (offer.copies.empty())
        return;
    const auto digests = talk.hear("files", std::chrono::seconds(120)).at("files");
    const auto stream = streams.open(kFileStream);
    for (std::size_t i = 0; i < offer.copies.size(); ++i) {
        const auto& copy = offer.copies[i];
        const auto there = digests.at(i).get<std::string>();
        if (!copy.format.empty())
            continue;
        if (!there.empty() && there != digest_of(copy.path))
            throw error(ErrorKind::hypervisor, "another file named {} is there", quote(copy.path));
        if (!there.empty())
            continue;
        const auto file = os::open_file(copy.path, O_RDONLY, 0, ErrorKind::hypervisor);
        std::vector<char> buffer(kPortion);
        for (auto left = copy.bytes; left > 0;) {
            const auto count = ::read(file.get(), buffer.data(), std::min<std::uint64_t>(left, buffer.size()));
            if (count <= 0)
                throw error(ErrorKind::hypervisor, "{} has become shorter", quote(copy.path));
            talk.check();
            os::send_all(stream, {buffer.data(), static_cast<std::size_t>(count)}, quote(copy.path),
                         ErrorKind::hypervisor);
            left -= static_cast<std::uint64_t>(count);
        }
    }
}

}  // namespace vprov::hypervisor
