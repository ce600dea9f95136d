#include "hypervisor/launch/spawn_supervisor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/supervisor.h"
#include "os/command.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> out;
    out.reserve(words.size() + 1);
    for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
    out.push_back(nullptr);
    return out;
}

// In the forked child; async-signal-safe calls only. Does not return.
[[noreturn]] void become_supervisor(char* const* argv, char* const* environment, int null, int channel) {
    ::setsid();
    const pid_t second = ::fork();  // the session's leader ends, so that no terminal can ever become ours
    if (second != 0)
        ::_exit(second < 0 ? 1 : 0);
    for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    // first out of the way of the numbers that are about to be replaced
    const int high_null = ::fcntl(null, F_DUPFD, kLaunchChannel + 1);
    const int high_channel = ::fcntl(channel, F_DUPFD, kLaunchChannel + 1);
    for (const int fd : {0, 1, 2}) ::dup2(high_null, fd);
    ::dup2(high_channel, kLaunchChannel);
    ::close(high_null);
    ::close(high_channel);
    ::execve(argv[0], argv, environment);
    ::_exit(127);  // the starter sees the end of file
}

}  // namespace

os::Fd spawn_supervisor(const std::vector<std::string>& argv) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot make a socket");
    os::Fd ours(ends[0]);
    const os::Fd theirs(ends[1]);
    const auto null = os::open_file("/dev/null", O_RDWR, 0, ErrorKind::hypervisor);
    std::vector<std::string> environment;
    for (const auto& [key, value] : os::clean_environment()) environment.push_back(fmt::format("{}={}", key, value));
    const auto argv_pointers = pointers(argv);
    const auto environment_pointers = pointers(environment);
    const pid_t child = ::fork();
    if (child < 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot start the supervisor");
    if (child == 0)
        become_supervisor(argv_pointers.data(), environment_pointers.data(), null.get(), theirs.get());
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0)
        throw error(ErrorKind::hypervisor, "cannot start the supervisor {}: no process for it", quote(argv[0]));
    return ours;
}

void leave_starter_behind() {
    const int stop = os::stop_fd();  // opened at its first use: not between the listing and the closing
    std::vector<int> open;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", none))
        open.push_back(std::stoi(entry.path().filename().native()));
    for (const int fd : open)
        if (fd > kLaunchChannel && fd != stop)
            ::close(fd);
    ::umask(0077);
    if (::chdir("/") != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot change to '/'");
}

}  // namespace vprov::hypervisor
