#include "os/user_namespace.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/interrupt.h"
#include "os/syscall_filter.h"

namespace vprov::os {
namespace {

constexpr char kMapMe = 'm', kAsItIs = 'a';  // when ready
constexpr char kReturned = 'r';              // the first byte of the child's report; an error has 'A' + its kind

std::optional<uid_t> g_caller;  // both in the child
std::optional<RootBy> g_root_by;

struct Channels {
    Pipe ready, go, report;
};

void must(int result, const char* what) {
    if (result != 0)
        throw system_error(ErrorKind::usage, errno, what);
}

Error cannot_make_namespace(int why) {
    const auto obstacle = what_forbids_user_namespaces();
    const auto cause = system_error(ErrorKind::usage, why, "cannot make a user namespace").message();
    return error(ErrorKind::usage, "{}: {}", cause,
                 obstacle.cause.empty() ? "run vprov as root, or see 'vprov doctor'" : obstacle.text());
}

// AppArmor, where it restricts user namespaces, lets them be made but takes what they are made for.
void check_worth() {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(::unshare(CLONE_NEWNS) == 0 ? 0 : errno);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw cannot_make_namespace(child < 0 || !WIFEXITED(status) ? EAGAIN : WEXITSTATUS(status));
}

// Root of a container that may make other namespaces, though no user namespaces, does without one.
bool can_do_without() {
    return ::geteuid() == 0 && ::unshare(CLONE_NEWNS) == 0;
}

void become_root(const RootAccess& access, Channels& channels) {
    if (::unshare(CLONE_NEWUSER) != 0) {
        const int why = errno;
        if (!can_do_without())
            throw cannot_make_namespace(why);
        write_all(channels.ready.write.get(), {&kAsItIs, 1}, "the report");
        if (access.by == RootBy::single_id)
            load_filter(make_ownership_filter());
        return;
    }
    write_all(channels.ready.write.get(), {&kMapMe, 1}, "the report");
    char go = 0;
    if (::read(channels.go.read.get(), &go, 1) != 1)
        ::_exit(1);  // mapping failed, and the parent says so
    must(::setresgid(0, 0, 0), "cannot become root of a user namespace");
    must(::setresuid(0, 0, 0), "cannot become root of a user namespace");
    check_worth();
    if (access.by == RootBy::single_id)
        load_filter(make_ownership_filter());
}

void send(const Fd& report, char kind, std::string_view text) {
    try {
        write_all(report.get(), kind + std::string(text), "the report");
    } catch (const Error&) {
        ::_exit(1);  // nobody is there to read it
    }
}

[[noreturn]] void run_child(const RootAccess& access, Channels& channels, pid_t parent,
                            const std::function<std::string()>& work) {
    channels.ready.read.reset();
    channels.go.write.reset();
    channels.report.read.reset();
    try {
        g_caller = ::geteuid();
        g_root_by = access.by;
        detach_stop_requests();
        become_root(access, channels);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent)
            ::_exit(1);
        const auto result = work();
        std::fflush(nullptr);
        send(channels.report.write, kReturned, result);
    } catch (const Error& e) {
        std::fflush(nullptr);
        send(channels.report.write, static_cast<char>('A' + static_cast<int>(e.kind())), e.message());
    } catch (const std::bad_alloc&) {
        send(channels.report.write, 'A' + static_cast<int>(ErrorKind::internal), "cannot go on: out of memory");
    } catch (const std::exception& e) {
        send(channels.report.write, 'A' + static_cast<int>(ErrorKind::internal),
             fmt::format("internal error: {}", e.what()));
    }
    ::_exit(0);
}

void map_by_program(const char* program, pid_t child, const IdMap& map, CommandRunner& runner) {
    Command command;
    command.argv = {program, std::to_string(child)};
    for (const auto& range : map)
        for (const auto number : {range.inside, range.outside, range.count})
            command.argv.push_back(std::to_string(number));
    command.environment = clean_environment();
    const auto result = runner.run(command);
    if (!result.ok())
        throw error(ErrorKind::usage, "cannot map subordinate ids: {}", describe_failure(command, result));
}

void map_by_file(const char* name, pid_t child, std::string_view text) {
    const auto path = fmt::format("/proc/{}/{}", child, name);
    const auto fd = open_file(path, O_WRONLY, 0, ErrorKind::usage);
    if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        throw system_error(ErrorKind::usage, errno, "cannot map ids in " + quote(path));
}

void map_ids(const RootAccess& access, pid_t child, CommandRunner& runner) {
    if (access.by == RootBy::subordinate_ids) {
        map_by_program("newuidmap", child, access.users, runner);
        map_by_program("newgidmap", child, access.groups, runner);
        return;
    }
    if (access.by == RootBy::single_id)
        map_by_file("setgroups", child, "deny");  // user_namespaces(7): or gid_map cannot be written
    map_by_file("gid_map", child, id_map_text(access.groups));
    map_by_file("uid_map", child, id_map_text(access.users));
}

// What the child reports, until it ends. A stop request goes to it as SIGTERM, once.
std::string await_report(pid_t child, const Fd& report) {
    std::string text;
    bool told = false;
    for (;;) {
        std::array<pollfd, 2> waiting = {{{report.get(), POLLIN, 0}, {told ? -1 : stop_fd(), POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
            throw system_error(ErrorKind::internal, errno, "cannot wait for a child");
        if (stop_requested() && !told) {
            ::kill(child, SIGTERM);
            told = true;
        }
        if (!waiting[0].revents)
            continue;
        std::array<char, 4096> buffer{};
        const auto count = ::read(report.get(), buffer.data(), buffer.size());
        if (count == 0 || (count < 0 && errno != EINTR))
            return text;
        if (count > 0)
            text.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

std::string result_of(pid_t child, const std::string& report) {
    const int status = wait_for(child);
    if (report.empty() && WIFSIGNALED(status))
        throw error(ErrorKind::internal, "cannot go on: the process at work was ended by signal {}{}", WTERMSIG(status),
                    WTERMSIG(status) == SIGKILL ? "; was there enough memory?" : "");
    if (report.empty())
        throw error(ErrorKind::internal, "internal error: the process at work ended without a word");
    if (report[0] != kReturned)
        throw Error(static_cast<ErrorKind>(report[0] - 'A'), report.substr(1));
    return report.substr(1);
}

}  // namespace

RootBy root_by() {
    if (g_root_by)
        return *g_root_by;
    SystemCommandRunner runner;
    return find_root_access(runner).by;
}

uid_t caller_id() noexcept {
    return g_caller.value_or(::geteuid());
}

std::string run_as_root(const RootAccess& access, CommandRunner& runner, const std::function<std::string()>& work) {
    if (access.by == RootBy::being_root)
        return work();
    std::fflush(nullptr);
    Channels channels{make_pipe(), make_pipe(), make_pipe()};
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0)
        throw system_error(ErrorKind::internal, errno, "cannot start a child");
    if (child == 0)
        run_child(access, channels, parent, work);
    channels.ready.write.reset();
    channels.go.read.reset();
    channels.report.write.reset();
    char ready = 0;  // stays so when the child could make no namespace, which it reports
    while (::read(channels.ready.read.get(), &ready, 1) < 0 && errno == EINTR) {
    }
    try {
        if (ready == kMapMe) {
            map_ids(access, child, runner);
            write_all(channels.go.write.get(), "g", "the child");
        }
    } catch (const Error&) {
        channels.go.write.reset();  // the child ends by itself
        wait_for(child);
        throw;
    }
    return result_of(child, await_report(child, channels.report.read));
}

}  // namespace vprov::os
