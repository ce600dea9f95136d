#include "hypervisor/launch/state_dir.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;
namespace {

constexpr const char* kIdOfLog = ".id";

// A file of one number of always the same width. It is written in one call, so that whoever is killed meanwhile leaves
// the old number or the new one, and nothing beside it.
void write_number(const fs::path& path, unsigned number) {
    const auto file = os::open_file(path, O_WRONLY | O_CREAT, 0600, ErrorKind::hypervisor);
    os::write_all(file.get(), fmt::format("{:010}\n", number), path.native());
}

std::optional<unsigned> read_number(const fs::path& path) {
    std::error_code none;
    if (!fs::exists(path, none))
        return std::nullopt;
    const auto text = os::read_file(path, ErrorKind::hypervisor);
    unsigned number = 0;
    const bool is_number = std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{};
    return is_number ? std::optional(number) : std::nullopt;
}

os::Fd stream_socket() {
    os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.is_open())
        throw system_error(ErrorKind::hypervisor, errno, "cannot make a socket");
    return fd;
}

sockaddr_un address_in(const os::Fd& directory, const std::string& name) {
    const auto path = fmt::format("/proc/self/fd/{}/{}", directory.get(), name);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw error(ErrorKind::internal, "internal error: the socket name {} is too long", quote(name));
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

void make_private_directory(const fs::path& path) {
    std::error_code failure;
    if (path.has_parent_path())
        fs::create_directories(path.parent_path(), failure);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        throw system_error(ErrorKind::hypervisor, errno, "cannot make the state directory " + quote(path.native()));
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid())
        throw error(ErrorKind::hypervisor, "cannot use the state directory {}: it is not a directory of this user",
                    quote(path.native()));
    if ((status.st_mode & 0077) != 0)
        ::chmod(path.c_str(), 0700);
}

}  // namespace

StateDir::StateDir(fs::path root) : root_(fs::absolute(std::move(root))) {
    make_private_directory(root_);
    make_private_directory(root_ / "dom");
    make_private_directory(root_ / "log");
}

StateDir StateDir::standard() {
    if (const char* chosen = std::getenv("VPROV_STATE_DIR"); chosen && *chosen)
        return StateDir(chosen);
    if (::geteuid() == 0)
        return StateDir("/run/vprov");
    if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime && *runtime)
        return StateDir(fs::path(runtime) / "vprov");
    return StateDir(fmt::format("/tmp/vprov-{}", ::geteuid()));
}

unsigned StateDir::take_id() const {
    const auto file = root_ / "next-id";
    const auto id = read_number(file).value_or(1);
    write_number(file, id + 1);
    return id;
}

std::vector<std::string> StateDir::names() const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(root_ / "dom", none))
        if (is_valid_guest_name(entry.path().filename().native()))
            names.push_back(entry.path().filename().native());
    std::sort(names.begin(), names.end());
    return names;
}

std::optional<DomainRecord> StateDir::read(std::string_view name) const {
    const os::Fd fd(::open((domain(name) / "dom.json").c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.is_open())
        return std::nullopt;
    return record_from_json(os::read_file(fd, "dom.json"));
}

std::optional<LaunchRequest> StateDir::read_request(std::string_view name) const {
    const os::Fd fd(::open((domain(name) / "request.json").c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.is_open())
        return std::nullopt;
    return request_from_json(os::read_file(fd, "request.json"));
}

void StateDir::write(const LaunchRequest& request) const {
    os::write_file(domain(request.guest.name) / "request.json", to_json(request), 0600);
}

void StateDir::write(const DomainRecord& record) const {
    os::write_file(domain(record.name) / "dom.json", to_json(record), 0600);
}

void StateDir::remove(std::string_view name) const noexcept {
    std::error_code failure, none;
    fs::rename(domain(name) / "console.log", log_file(name), failure);
    if (!failure) {
        const auto id_of_log = log_file(name).replace_extension(kIdOfLog);
        fs::remove(id_of_log, none);
        try {
            if (const auto record = read(name))
                write_number(id_of_log, record->id);
        } catch (const std::exception&) {
            // a disk that is full, say: the log is found by its name only
        }
    }
    os::remove_tree(domain(name));
}

std::optional<std::string> StateDir::name_of_ended(std::string_view id) const {
    std::error_code none;
    for (const auto& file : fs::directory_iterator(root_ / "log", none))
        if (const auto own = file.path().extension() == kIdOfLog ? read_number(file.path()) : std::nullopt)
            if (std::to_string(*own) == id)
                return file.path().stem();
    return std::nullopt;
}

os::Fd listen_at(const fs::path& directory, const std::string& name) {
    const auto folder = os::open_file(directory, O_PATH | O_DIRECTORY, 0, ErrorKind::hypervisor);
    auto fd = stream_socket();
    const auto address = address_in(folder, name);
    ::unlinkat(folder.get(), name.c_str(), 0);
    const auto mask = ::umask(0177);
    const bool bound = ::bind(fd.get(), generic(address), sizeof address) == 0;
    const int why = errno;
    ::umask(mask);
    if (!bound || ::listen(fd.get(), 32) != 0)
        throw system_error(ErrorKind::hypervisor, bound ? errno : why,
                           "cannot listen at " + quote((directory / name).native()));
    return fd;
}

os::Fd connect_to(const fs::path& directory, const std::string& name) {
    const auto folder = os::open_file(directory, O_PATH | O_DIRECTORY, 0, ErrorKind::hypervisor);
    auto fd = stream_socket();
    const auto address = address_in(folder, name);
    if (::connect(fd.get(), generic(address), sizeof address) != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot connect to " + quote((directory / name).native()));
    return fd;
}

ListeningPair make_listening_pair(const fs::path& directory, const std::string& name) {
    auto listening = listen_at(directory, name);
    return {std::move(listening), connect_to(directory, name)};
}

}  // namespace vprov::hypervisor
