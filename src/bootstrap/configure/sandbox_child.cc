#include "bootstrap/configure/sandbox_child.h"

#include <dirent.h>
#include <fcntl.h>
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
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/text.h"
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

struct Job {
    std::uint32_t ticket = 0;
    os::Fd payload, input, output, status;
};

// Words ended by NUL: whether there are small stand-ins, the number of arguments, the arguments, the environment.
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
    if (words.at(0) == "1")
        cover_small_programs();
    const auto arguments = std::stoul(words.at(1));
    std::vector<char*> argv, environment;
    for (std::size_t i = 2; i < words.size(); ++i) (i <= arguments + 1 ? argv : environment).push_back(words[i].data());
    argv.push_back(nullptr);
    environment.push_back(nullptr);
    ::setsid();
    ::umask(022);
    must(::dup2(job.input.get(), 0), "cannot set up standard input");
    must(::dup2(job.output.get(), 1), "cannot set up standard output");
    must(::dup2(job.output.get(), 2), "cannot set up standard error");
    must(::dup2(job.status.get(), kStatusFd), "cannot set up the status descriptor");
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
    ::setgroups(0, nullptr);  // refused where a user namespace has a single id
    os::load_filter(filter);
    drop_capabilities();
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

std::string proc_file(const std::string& path) {
    const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open())
        return {};
    try {
        return os::read_file(file, path, ErrorKind::script);
    } catch (const Error&) {
        return {};  // the process has ended meanwhile
    }
}

// The last word of the line "NAME: ..." of /proc/PID/status; "" if there is none.
std::string last_word(std::string_view status, std::string_view name) {
    for (const auto line : split(status, '\n'))
        if (line.starts_with(name))
            if (const auto words = split_words(line); words.size() > 1)
                return std::string(words.back());
    return {};
}

// Processes that the command left behind, which are ours by now (PR_SET_CHILD_SUBREAPER). Where an outer /proc stands
// in, its numbers are other ones than those that kill(2) takes here: NSpid, the last, is.
void end_leftovers() {
    const auto self = last_word(proc_file("/proc/self/status"), "Pid:");
    while (::waitpid(-1, nullptr, WNOHANG) >= 0) {
        const std::unique_ptr<DIR, int (*)(DIR*)> processes(::opendir("/proc"), ::closedir);
        if (!processes)
            return;  // process 1 ends them when it goes
        while (const auto* entry = ::readdir(processes.get())) {
            if (std::atoi(entry->d_name) <= 1)
                continue;
            const auto status = proc_file(fmt::format("/proc/{}/status", entry->d_name));
            const pid_t pid = std::atoi(last_word(status, "NSpid:").c_str());
            if (pid > 1 && last_word(status, "PPid:") == self)
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
    make_mounts(setup.mounts);
    if (setup.mounts.network == Network::none)
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
    auto text = fmt::format("{:d}", command.small_stand_ins) + '\0' + fmt::format("{}", command.argv.size()) + '\0';
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
        const int network = setup.mounts.network == Network::none ? CLONE_NEWNET : 0;
        must(::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | network), "cannot make namespaces");
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
