#include "hypervisor/xen/xl_console.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/error.h"
#include "os/command.h"

namespace vprov::hypervisor {
namespace {

// An xl that is ended with its last owner.
class XlProcess {
  public:
    explicit XlProcess(pid_t pid) : pid_(pid) {}
    ~XlProcess() {
        if (pid_ > 0)
            ::kill(pid_, SIGTERM);
        wait();
    }
    XlProcess(const XlProcess&) = delete;
    XlProcess& operator=(const XlProcess&) = delete;

    // Its exit status; 128 + signal if it was killed.
    int wait() {
        if (pid_ > 0) {
            int status = 0;
            while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
            }
            status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            pid_ = -1;
        }
        return status_;
    }

  private:
    pid_t pid_;
    int status_ = 0;
};

struct Terminal {
    os::Fd ours, theirs;
};

// Raw, for all is meant for the guest's terminal; xl makes it so only after a moment.
Terminal open_terminal() {
    int ours = -1;
    int theirs = -1;
    termios raw{};
    ::cfmakeraw(&raw);
    if (::openpty(&ours, &theirs, nullptr, &raw, nullptr) != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot open a terminal for a console");
    for (const int fd : {ours, theirs}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(ours, F_SETFL, O_NONBLOCK);
    return {os::Fd(ours), os::Fd(theirs)};
}

[[noreturn]] void exec_child(const os::Fd& terminal, const char* program, char* const* argv, char* const* environment) {
    ::setsid();
    ::ioctl(terminal.get(), TIOCSCTTY, 0);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(terminal.get(), fd);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
    ::execve(program, argv, environment);
    ::_exit(127);
}

}  // namespace

DomainEngine::Console open_xl_console(unsigned id) {
    auto program = os::find_program("xl");
    if (program.empty())
        throw error(ErrorKind::hypervisor, "cannot open a console: there is no xl (apt install xen-utils-common)");
    auto number = std::to_string(id);
    std::array<std::string, 3> words = {"xl", "console", number};
    std::array<char*, 4> argv = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    std::vector<std::string> settings;
    for (const auto& [key, value] : os::clean_environment()) settings.push_back(key + "=" + value);
    std::vector<char*> environment;
    for (auto& setting : settings) environment.push_back(setting.data());
    environment.push_back(nullptr);

    auto terminal = open_terminal();
    const pid_t child = ::fork();
    if (child < 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot start xl");
    if (child == 0)
        exec_child(terminal.theirs, program.c_str(), argv.data(), environment.data());
    const auto failure = [xl = std::make_shared<XlProcess>(child)] {
        const int status = xl->wait();
        return status == 0 ? "" : fmt::format("xl console has ended with exit status {}", status);
    };
    return {std::move(terminal.ours), true, 0, failure};
}

}  // namespace vprov::hypervisor
