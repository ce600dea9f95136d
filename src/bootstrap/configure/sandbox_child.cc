#include "bootstrap/configure/sandbox_child.h"

#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.h"
#include "os/interrupt.h"
#include "os/syscall_filter.h"

namespace vprov::configure {
namespace {

void must(long result, const char* what) {
    if (result < 0)
        throw system_error(ErrorKind::script, errno, what);
}

// Scripts of packages that talk to themselves over 127.0.0.1 find it; nothing else is reachable.
void raise_loopback() {
    const os::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    struct ifreq request {};
    std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (socket.is_open())
        ::ioctl(socket.get(), SIOCSIFFLAGS, &request);
}

// What maintainer scripts are known to manage with: Docker's default set. Without CAP_SYS_ADMIN nothing is mounted, so
// the device files that CAP_MKNOD makes cannot be opened; without the others the host's kernel is out of reach.
void drop_capabilities() {
    constexpr std::array<int, 14> kKept = {
        CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID,           CAP_KILL,    CAP_SETGID,      CAP_SETUID,
        CAP_SETPCAP, CAP_SETFCAP,      CAP_MKNOD,  CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_AUDIT_WRITE, CAP_SYS_CHROOT};
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
        if (std::find(kKept.begin(), kKept.end(), capability) == kKept.end())
            must(::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "cannot drop capabilities");
}

[[noreturn]] void exec_program(const ChildSetup& setup) {
    std::vector<char*> argv;
    for (const auto& word : setup.command.argv) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    std::vector<std::string> text;
    for (const auto& [key, value] : setup.command.environment) text.push_back(fmt::format("{}={}", key, value));
    std::vector<char*> environment;
    environment.reserve(text.size() + 1);
    for (auto& entry : text) environment.push_back(entry.data());
    environment.push_back(nullptr);
    ::setsid();
    ::umask(022);
    must(::dup2(setup.input, 0), "cannot set up standard input");
    must(::dup2(setup.output, 1), "cannot set up standard output");
    must(::dup2(setup.output, 2), "cannot set up standard error");
    must(::dup2(setup.status, kStatusFd), "cannot set up the status descriptor");
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
    ::setgroups(0, nullptr);  // refused where a user namespace has a single id
    os::load_filter(setup.filter);
    drop_capabilities();
    ::execve(argv[0], argv.data(), environment.data());
    throw system_error(ErrorKind::script, errno, "cannot run " + setup.command.argv[0]);
}

[[noreturn]] void report(int failure, const std::exception& e) {
    const std::string text = e.what();
    [[maybe_unused]] const auto written = ::write(failure, text.data(), text.size());
    ::_exit(127);
}

[[noreturn]] void exit_as(int status) {
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// Process 1 of the namespace: reaps whatever loses its parent; when it ends, the kernel ends all that is left.
[[noreturn]] void run_init(const ChildSetup& setup, int failure) {
    try {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        make_mounts(setup.mounts);
        if (setup.network == Network::none)
            raise_loopback();
        must(::sethostname(setup.hostname.c_str(), setup.hostname.size()), "cannot set the host name");
        const pid_t program = ::fork();
        must(program, "cannot fork");
        if (program == 0)
            exec_program(setup);
        for (int status = 0;;) {
            const pid_t ended = ::waitpid(-1, &status, 0);
            if (ended == program)
                exit_as(status);
            if (ended < 0 && errno != EINTR)
                ::_exit(127);
        }
    } catch (const std::exception& e) {
        report(failure, e);
    }
}

// At a stop signal the namespace's process 1 is ended, which the kernel lets be waited for only when all others in it
// have gone: nothing writes to the tree any more when this returns.
int wait_for_end(pid_t init) {
    const os::Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, init, 0)));
    must(ended.get(), "cannot watch the sandbox");
    std::array<pollfd, 2> waiting = {{{ended.get(), POLLIN, 0}, {os::stop_fd(), POLLIN, 0}}};
    while (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) {
    }
    if (!waiting[0].revents)
        ::kill(init, SIGKILL);
    int status = 0;
    while (::waitpid(init, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

}  // namespace

[[noreturn]] void run_sandbox(const ChildSetup& setup, pid_t parent, int failure) {
    try {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent)
            ::_exit(127);
        const int network = setup.network == Network::none ? CLONE_NEWNET : 0;
        must(::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | network), "cannot make namespaces");
        const pid_t init = ::fork();
        must(init, "cannot fork");
        if (init == 0)
            run_init(setup, failure);
        exit_as(wait_for_end(init));
    } catch (const std::exception& e) {
        report(failure, e);
    }
}

}  // namespace vprov::configure
