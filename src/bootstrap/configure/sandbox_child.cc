#include "bootstrap/configure/sandbox_child.h"

#include <dirent.h>
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
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

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

struct Job {
    std::uint32_t ticket = 0;
    os::Fd payload, input, output, status;
};

// Words ended by NUL: the number of arguments, the arguments, the environment.
std::vector<std::string> words_of(const os::Fd& payload) {
    const auto text = os::read_file(payload, "the command", ErrorKind::script);
    std::vector<std::string> words;
    for (std::size_t start = 0; start < text.size();) {
        words.emplace_back(text.c_str() + start);
        start += words.back().size() + 1;
    }
    return words;
}

[[noreturn]] void exec_program(const Job& job, const std::string& filter) {
    auto words = words_of(job.payload);
    const auto arguments = std::stoul(words.at(0));
    std::vector<char*> argv, environment;
    for (std::size_t i = 1; i < words.size(); ++i) (i <= arguments ? argv : environment).push_back(words[i].data());
    argv.push_back(nullptr);
    environment.push_back(nullptr);
    ::setsid();
    ::umask(022);
    must(::dup2(job.input.get(), 0), "cannot set up standard input");
    must(::dup2(job.output.get(), 1), "cannot set up standard output");
    must(::dup2(job.output.get(), 2), "cannot set up standard error");
    must(::dup2(job.status.get(), kStatusFd), "cannot set up the status descriptor");
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
    drop_capabilities();
    load_filter(filter);
    ::execve(argv[0], argv.data(), environment.data());
    throw system_error(ErrorKind::script, errno, fmt::format("cannot run {}", argv[0]));
}

void reply(int socket, const Reply& header, std::string_view text) {
    std::string message(sizeof header, '\0');
    std::memcpy(message.data(), &header, sizeof header);
    message += text.substr(0, kReplyText);
    while (::send(socket, message.data(), message.size(), MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

int exit_status(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Processes that the command left behind, which are ours by now (PR_SET_CHILD_SUBREAPER).
void end_leftovers() {
    while (::waitpid(-1, nullptr, WNOHANG) >= 0) {
        const std::unique_ptr<DIR, int (*)(DIR*)> processes(::opendir("/proc"), ::closedir);
        if (!processes)
            return;  // process 1 ends them when it goes
        while (const auto* entry = ::readdir(processes.get())) {
            const pid_t pid = std::atoi(entry->d_name);
            if (pid <= 1)
                continue;
            const os::Fd file(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
            if (!file.is_open())
                continue;
            const auto text = os::read_file(file, "a process's state", ErrorKind::script);
            const auto name_end = text.rfind(')');  // proc(5): pid (name) state ppid
            if (name_end != std::string::npos && std::atoi(text.c_str() + name_end + 3) == ::getpid())
                ::kill(pid, SIGKILL);
        }
        ::usleep(1000);
    }
}

// One process for each command: it starts the program, ends what that leaves behind, and answers.
[[noreturn]] void run_job(Job job, const ChildSetup& setup) {
    ::signal(SIGCHLD, SIG_DFL);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    auto failure = os::make_pipe();  // closed by a successful exec
    const pid_t program = ::fork();
    if (program == 0) {
        try {
            exec_program(job, setup.filter);
        } catch (const std::exception& e) {
            const std::string_view text = e.what();
            [[maybe_unused]] const auto written = ::write(failure.write.get(), text.data(), text.size());
            ::_exit(127);
        }
    }
    const auto ticket = job.ticket;
    job = {};
    failure.write.reset();
    try {
        must(program, "cannot fork");
        const auto why = os::read_file(failure.read, "a failure", ErrorKind::script);
        int status = 0;
        for (pid_t ended = 0; ended != program;) {
            ended = ::waitpid(-1, &status, 0);
            if (ended < 0 && errno != EINTR)
                break;
        }
        end_leftovers();
        reply(setup.socket, {ticket, exit_status(status)}, why);
    } catch (const std::exception& e) {
        reply(setup.socket, {ticket, 127}, e.what());
    }
    ::_exit(0);
}

// False when the other end has gone.
bool receive(int socket, Job& job) {
    Order order;
    struct iovec part = {&order, sizeof order};
    alignas(struct cmsghdr) std::array<char, CMSG_SPACE(kOrderDescriptors * sizeof(int))> control{};
    struct msghdr message {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t size = 0;
    while ((size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
    }
    if (size <= 0)
        return false;
    job.ticket = order.ticket;
    if (const auto* header = CMSG_FIRSTHDR(&message)) {
        std::array<int, kOrderDescriptors> fds{};
        std::memcpy(fds.data(), CMSG_DATA(header), sizeof fds);
        job.payload = os::Fd(fds[0]);
        job.input = os::Fd(fds[1]);
        job.output = os::Fd(fds[2]);
        job.status = os::Fd(fds[3]);
    }
    return true;
}

void set_up(const ChildSetup& setup) {
    make_mounts(setup);
    raise_loopback();
    must(::sethostname(setup.hostname.c_str(), setup.hostname.size()), "cannot set the host name");
}

// Process 1 of the namespace. The kernel reaps whatever loses its parent; when this ends, it ends all that is left.
[[noreturn]] void run_init(const ChildSetup& setup) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGCHLD, SIG_IGN);
    for (Job job; receive(setup.socket, job); job = {}) {
        std::string failure;
        try {
            if (job.ticket == 0) {
                set_up(setup);
            } else {
                const pid_t child = ::fork();
                must(child, "cannot fork");
                if (child == 0)
                    run_job(std::move(job), setup);
                continue;
            }
        } catch (const std::exception& e) {
            failure = e.what();
        }
        reply(setup.socket, {job.ticket, 127}, failure);
    }
    ::_exit(0);
}

// At a stop signal the namespace's process 1 is ended, which the kernel lets be waited for only when all others in it
// have gone: nothing writes to the tree any more when this returns.
void wait_for_end(pid_t init) {
    const os::Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, init, 0)));
    must(ended.get(), "cannot watch the sandbox");
    std::array<pollfd, 2> waiting = {{{ended.get(), POLLIN, 0}, {os::stop_fd(), POLLIN, 0}}};
    while (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) {
    }
    if (!waiting[0].revents)
        ::kill(init, SIGKILL);
    while (::waitpid(init, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace

std::string encode_command(const SandboxCommand& command) {
    auto text = fmt::format("{}", command.argv.size()) + '\0';
    for (const auto& word : command.argv) text += word + '\0';
    for (const auto& [key, value] : command.environment) text += fmt::format("{}={}", key, value) + '\0';
    return text;
}

[[noreturn]] void run_sandbox(const ChildSetup& setup, pid_t parent) {
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
            run_init(setup);
        ::close(setup.socket);
        wait_for_end(init);
    } catch (const std::exception& e) {
        reply(setup.socket, {0, 127}, e.what());
    }
    ::_exit(0);
}

}  // namespace vprov::configure
