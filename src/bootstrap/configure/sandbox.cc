#include "bootstrap/configure/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/configure/sandbox_child.h"
#include "os/interrupt.h"
#include "os/syscall_filter.h"
#include "os/temp_dir.h"

namespace vprov::configure {
namespace {

constexpr std::string_view kStub =
    "#!/bin/sh\n"
    "# Stands in for start-stop-daemon while packages are configured: nothing is started.\n"
    "exit 0\n";
constexpr const char* kPolicy = "/usr/sbin/policy-rc.d";  // invoke-rc.d(8): status 101 forbids the action

// Cuts a stream into lines.
class LineReader {
  public:
    LineReader(os::Fd fd, const std::function<void(std::string_view)>& on_line)
        : fd_(std::move(fd)), on_line_(on_line) {}
    bool is_open() const { return fd_.is_open(); }
    int get() const { return fd_.get(); }

    void read() {
        std::array<char, 16384> buffer{};
        const auto count = ::read(fd_.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR)
            return;
        if (count > 0)
            rest_.append(buffer.data(), static_cast<std::size_t>(count));
        else
            fd_.reset();
        for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
            emit(std::string_view(rest_).substr(0, end));
            rest_.erase(0, end + 1);
        }
        if (!fd_.is_open() && !rest_.empty())
            emit(std::exchange(rest_, {}));
    }

  private:
    void emit(std::string_view line) {
        if (on_line_)
            on_line_(line);
    }
    os::Fd fd_;
    const std::function<void(std::string_view)>& on_line_;
    std::string rest_;
};

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Until both streams have ended: the pipes are open as long as anything runs in the sandbox.
void relay(pid_t child, LineReader& output, LineReader& status) {
    while (output.is_open() || status.is_open()) {
        std::array<pollfd, 3> waiting = {
            {{output.get(), POLLIN, 0}, {status.get(), POLLIN, 0}, {os::stop_fd(), POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
            throw system_error(ErrorKind::internal, errno, "cannot wait for the sandbox");
        if (os::stop_requested()) {
            wait_for(child);  // it has seen the stop too, and ends the sandbox
            os::check_stop();
        }
        if (waiting[1].revents)
            status.read();
        if (waiting[0].revents)
            output.read();
    }
}

}  // namespace

std::map<std::string, std::string> maintainer_environment() {
    return {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            {"HOME", "/root"},
            {"LC_ALL", "C.UTF-8"},
            {"LANGUAGE", "C.UTF-8"},
            {"TERM", "dumb"},
            {"SHELL", "/bin/sh"},
            {"DEBIAN_FRONTEND", "noninteractive"},
            {"DEBCONF_NONINTERACTIVE_SEEN", "true"}};
}

Sandbox::Sandbox(const os::RootDir& root, const std::filesystem::path& work, std::string hostname, Network network)
    : root_(root),
      stub_(work / "start-stop-daemon"),
      hostname_(std::move(hostname)),
      network_(network),
      filter_(os::make_sync_filter()) {
    os::write_file(stub_, kStub, 0755);
    root_.write(kPolicy, "#!/bin/sh\nexit 101\n", 0755);
    placeholders_ = make_placeholders(root_, network_);
}

Sandbox::~Sandbox() {
    try {
        root_.remove(kPolicy);
        for (const auto& path : placeholders_) root_.remove(path);
    } catch (const Error&) {  // the tree is on its way out too
    }
}

int Sandbox::run(const SandboxCommand& command) {
    os::check_stop();
    auto input = os::make_pipe();
    auto output = os::make_pipe();
    auto status = os::make_pipe();
    auto failure = os::make_pipe();
    os::write_all(input.write.get(), command.input, "standard input");
    const ChildSetup setup{command, {root_, stub_, network_}, network_,           hostname_,
                           filter_, input.read.get(),         output.write.get(), status.write.get()};
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0)
        throw system_error(ErrorKind::script, errno, "cannot start the sandbox");
    if (child == 0)
        run_sandbox(setup, parent, failure.write.get());
    input = {};
    output.write.reset();
    status.write.reset();
    failure.write.reset();
    LineReader lines(std::move(output.read), command.on_output);
    LineReader reports(std::move(status.read), command.on_status);
    relay(child, lines, reports);
    const int result = wait_for(child);
    const auto why = os::read_file(failure.read, "the sandbox's report", ErrorKind::script);
    if (!why.empty())
        throw error(ErrorKind::script, "cannot set up the sandbox for {}: {}", quote(command.argv[0]), why);
    return result;
}

}  // namespace vprov::configure
