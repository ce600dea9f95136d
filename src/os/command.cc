#include "os/command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/interrupt.h"

namespace vprov::os {
namespace {

constexpr const char* kSystemPath = "/usr/local/sbin:/usr/sbin:/sbin";
constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct ExecImage {  // everything the child needs, made before fork(): after it only async-signal-safe calls are allowed
    std::string program;
    std::vector<std::string> environment_text;
    std::vector<char*> argv, environment;

    explicit ExecImage(const Command& command) : program(find_program(command.argv[0])) {
        if (program.empty())
            program = command.argv[0];
        for (const auto& word : command.argv) argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        for (const auto& [key, value] : command.environment)
            environment_text.push_back(fmt::format("{}={}", key, value));
        for (auto& text : environment_text) environment.push_back(text.data());
        environment.push_back(nullptr);
    }
};

[[noreturn]] void exec_child(const Command& command, const ExecImage& image, pid_t parent, const Pipe& in,
                             const Pipe& out, const Pipe& err, const Pipe& failure) {
    ::setpgid(0, 0);
    if (!command.runs_to_its_end) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent)
            ::_exit(127);
    }
    ::dup2(command.input_fd >= 0 ? command.input_fd : in.read.get(), 0);
    ::dup2(out.write.get(), 1);
    ::dup2(err.write.get(), 2);
    for (const int fd : command.inherited) ::fcntl(fd, F_SETFD, 0);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
    if (command.runs_to_its_end)
        ::signal(SIGPIPE, SIG_IGN);  // nobody may be left to read its words
    ::execve(image.program.c_str(), image.argv.data(), image.environment.data());
    const int why = errno;
    [[maybe_unused]] const auto written = ::write(failure.write.get(), &why, sizeof why);
    ::_exit(127);
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Moves what is ready; closes `fd` at its end.
void drain(Fd& fd, std::string& into) {
    std::array<char, 65536> buffer{};
    const auto count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count > 0)
        into.append(buffer.data(), static_cast<std::size_t>(count));
    else if (count == 0 || errno != EINTR)
        fd.reset();
}

void feed(Fd& fd, std::string_view& input) {
    const auto count = input.empty() ? 0 : ::write(fd.get(), input.data(), input.size());
    if (count > 0)
        input.remove_prefix(static_cast<std::size_t>(count));
    if (input.empty() || (count < 0 && errno != EINTR && errno != EAGAIN))
        fd.reset();
}

void exchange(const Command& command, pid_t child, Fd& in, Fd& out, Fd& err, CommandResult& result) {
    std::string_view input = command.input;
    const int stop = command.runs_to_its_end ? -1 : stop_fd();
    ::fcntl(in.get(), F_SETFL, O_NONBLOCK);
    while (out.is_open() || err.is_open()) {
        std::array<pollfd, 4> waiting = {
            {{in.get(), POLLOUT, 0}, {out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}, {stop, POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
            throw system_error(ErrorKind::internal, errno, "cannot wait for a child");
        if (!command.runs_to_its_end && stop_requested()) {
            ::kill(-child, SIGKILL);
            ::kill(child, SIGKILL);
            wait_for(child);
            check_stop();
        }
        if (waiting[0].revents)
            feed(in, input);
        if (waiting[1].revents)
            drain(out, result.output);
        if (waiting[2].revents)
            drain(err, result.errors);
    }
}

}  // namespace

std::map<std::string, std::string> clean_environment() {
    return {{"PATH", kPath}, {"HOME", "/root"}, {"LC_ALL", "C.UTF-8"}};
}

CommandResult SystemCommandRunner::run(const Command& command) {
    if (command.argv.empty())
        throw error(ErrorKind::internal, "internal error: an empty command");
    if (!command.runs_to_its_end)
        check_stop();
    const ExecImage image(command);
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    Pipe failure = make_pipe();
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0)
        throw system_error(ErrorKind::internal, errno, "cannot start " + quote(command.argv[0]));
    if (child == 0)
        exec_child(command, image, parent, in, out, err, failure);
    in.read.reset();
    out.write.reset();
    err.write.reset();
    failure.write.reset();
    CommandResult result;
    exchange(command, child, in.write, out.read, err.read, result);
    result.status = wait_for(child);
    int why = 0;
    if (::read(failure.read.get(), &why, sizeof why) == sizeof why)
        throw system_error(ErrorKind::internal, why, "cannot run " + quote(command.argv[0]));
    return result;
}

CommandResult run_for(const Purpose& purpose, const Command& command, CommandRunner& runner) {
    try {
        return runner.run(command);
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        throw error(purpose.kind, "{}{}{} (install {})", purpose.context, purpose.context.empty() ? "" : ": ",
                    e.message(), purpose.package);
    }
}

CommandResult run_or_fail(const Purpose& purpose, const Command& command, CommandRunner& runner) {
    auto result = run_for(purpose, command, runner);
    if (!result.ok())
        throw error(purpose.kind, "{}{}{}", purpose.context, purpose.context.empty() ? "" : ": ",
                    describe_failure(command, result));
    return result;
}

std::string describe_failure(const Command& command, const CommandResult& result) {
    const auto said = last_lines(trimmed(result.errors).empty() ? result.output : result.errors, 10);
    auto text = fmt::format("{}\nexit status {}", shell_line(command.argv), result.status);
    if (!trimmed(said).empty())
        text += fmt::format("; it said:\n{}", said);
    return text;
}

std::string find_program(std::string_view name) {
    const auto is_program = [](const std::string& path) {
        struct stat status {};
        return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
    };
    if (name.find('/') != std::string_view::npos)
        return is_program(std::string(name)) ? std::string(name) : std::string();
    const char* path = std::getenv("PATH");
    const auto folders = fmt::format("{}:{}", path ? path : kPath, kSystemPath);
    for (const auto folder : split(folders, ':'))
        if (auto candidate = fmt::format("{}/{}", folder, name); is_program(candidate))
            return candidate;
    return {};
}

bool program_exists(std::string_view name) {
    return !find_program(name).empty();
}

}  // namespace vprov::os
