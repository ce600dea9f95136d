#include "bootstrap/configure/sandbox_child.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.h"
#include "bootstrap/configure/seccomp_filter.h"
#include "os/interrupt.h"

namespace vprov::configure {
namespace {

void must(long result, const char* what) {
    if (result < 0)
        throw system_error(ErrorKind::script, errno, what);
}

// The mount point is resolved inside the tree first, so a link there cannot lead a mount out of it.
void mount_in(const os::RootDir& root, const char* place, const char* type, unsigned long flags, const char* options) {
    const auto point = root.open_if_exists(place, O_PATH | O_DIRECTORY);
    if (!point)
        return;
    const auto target = fmt::format("/proc/self/fd/{}", point->get());
    must(::mount(type, target.c_str(), type, flags, options), place);
}

void bind_stub(const os::RootDir& root, const std::filesystem::path& stub) {
    const auto point = root.open_if_exists("/usr/sbin/start-stop-daemon", O_PATH);
    if (!point)
        return;
    const auto target = fmt::format("/proc/self/fd/{}", point->get());
    must(::mount(stub.c_str(), target.c_str(), nullptr, MS_BIND, nullptr), "cannot cover start-stop-daemon");
}

void make_mounts(const ChildSetup& setup) {
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "cannot make mounts private");
    const auto* path = setup.root.path().c_str();
    must(::mount(path, path, nullptr, MS_BIND, nullptr), "cannot bind the guest's tree");
    const os::RootDir root(setup.root.path());  // opened again: now it is the mount
    mount_in(root, "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
    mount_in(root, "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, nullptr);
    mount_in(root, "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5");
    mount_in(root, "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
    mount_in(root, "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");  // as at run time: nothing there lasts
    must(::mkdirat(root.open("/run", O_PATH | O_DIRECTORY).get(), "lock", 0777), "cannot make /run/lock");
    bind_stub(root, setup.stub);
    must(::fchdir(root.open("/", O_RDONLY | O_DIRECTORY).get()), "cannot enter the guest's tree");
    must(::syscall(SYS_pivot_root, ".", "."), "cannot change the root directory");
    must(::umount2(".", MNT_DETACH), "cannot leave the host's root");
    must(::chdir("/"), "cannot enter the guest's tree");
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

// What no package's installation needs, and what would reach the host's kernel.
void drop_capabilities() {
    for (const int capability :
         {CAP_SYS_MODULE, CAP_SYS_BOOT, CAP_SYS_TIME, CAP_SYS_RAWIO, CAP_SYSLOG, CAP_MAC_ADMIN, CAP_MAC_OVERRIDE,
          CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND, CAP_AUDIT_CONTROL, CAP_SYS_PTRACE})
        ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
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
    drop_capabilities();
    load_filter(setup.filter);
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
        make_mounts(setup);
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
        must(::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET),
             "cannot make namespaces");
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
