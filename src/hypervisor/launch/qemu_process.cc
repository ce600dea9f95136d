#include "hypervisor/launch/qemu_process.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/state_dir.h"
#include "os/command.h"

namespace vprov::hypervisor {
namespace {

constexpr const char* kQmpSocket = "qmp.sock";
constexpr const char* kConsoleSocket = "qemu-console.sock";

// Words of a command line as execve(2) wants them; made before fork(), which leaves only async-signal-safe calls.
std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> out;
    out.reserve(words.size() + 1);
    for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
    out.push_back(nullptr);
    return out;
}

std::vector<std::string> environment_words() {
    std::vector<std::string> words;
    for (const auto& [key, value] : os::clean_environment()) words.push_back(fmt::format("{}={}", key, value));
    return words;
}

struct ChildEnds {
    int null, words, gate, failure;
    const std::vector<int>& inherited;
};

// What the starter reads when there is no QEMU.
struct Failure {
    enum class Step { confine, execute } step;
    int why;
};

[[noreturn]] void fail(const ChildEnds& ends, Failure failure) {
    [[maybe_unused]] const auto written = ::write(ends.failure, &failure, sizeof failure);
    ::_exit(127);
}

[[noreturn]] void become_qemu(char* const* argv, char* const* environment, const ChildEnds& ends,
                              const Confinement* confinement) {
    char go = 0;
    if (::read(ends.gate, &go, 1) != 1)  // its supervisor is gone before it could record this process
        ::_exit(127);
    for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(ends.null, 0);
    ::dup2(ends.words, 1);
    ::dup2(ends.words, 2);
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // also what a library has opened without asking
    for (const int fd : ends.inherited) ::fcntl(fd, F_SETFD, 0);
    if (const int why = confinement ? confine(*confinement) : 0; why != 0)
        fail(ends, {Failure::Step::confine, why});
    ::execvpe(argv[0], argv, environment);
    fail(ends, {Failure::Step::execute, errno});
}

[[noreturn]] void throw_failure(const Failure& failure, const std::string& program) {
    if (failure.step == Failure::Step::confine)
        throw system_error(ErrorKind::hypervisor, failure.why,
                           "cannot run QEMU as a user of its own (--no-sandbox does without)");
    if (failure.why == ENOENT)
        throw error(ErrorKind::hypervisor, "cannot run {}: it is not installed (apt install qemu-system-x86)",
                    quote(program));
    throw system_error(ErrorKind::hypervisor, failure.why, "cannot run " + quote(program));
}

}  // namespace

QemuChannels make_qemu_channels(const std::filesystem::path& directory, bool has_agent) {
    auto qmp = make_listening_pair(directory, kQmpSocket);
    auto console = make_listening_pair(directory, kConsoleSocket);
    ::fcntl(console.client.get(), F_SETFL, O_NONBLOCK);
    return {std::move(qmp.listening),
            std::move(qmp.client),
            std::move(console.listening),
            std::move(console.client),
            listen_at(directory, kMonitorSocket),
            has_agent ? listen_at(directory, kAgentSocket) : os::Fd()};
}

QemuProcess::QemuProcess(const std::vector<std::string>& argv, const std::vector<int>& inherited, QemuChannels channels,
                         const std::optional<Confinement>& confinement,
                         const std::function<void(const ProcessIdentity&)>& known)
    : console_(std::move(channels.console)), qmp_(std::move(channels.qmp)) {
    auto words = os::make_pipe();
    auto gate = os::make_pipe();
    auto failure = os::make_pipe();
    const auto null = os::open_file("/dev/null", O_RDWR, 0, ErrorKind::hypervisor);
    const auto environment = environment_words();
    const auto argv_pointers = pointers(argv);
    const auto environment_pointers = pointers(environment);
    const pid_t child = ::fork();
    if (child < 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot start QEMU");
    if (child == 0) {
        ::close(gate.write.get());
        become_qemu(argv_pointers.data(), environment_pointers.data(),
                    {null.get(), words.write.get(), gate.read.get(), failure.write.get(), inherited},
                    confinement ? &*confinement : nullptr);
    }
    pidfd_ = os::Fd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    identity_ = identify_process(child);
    complaints_ = std::move(words.read);
    ::fcntl(complaints_.get(), F_SETFL, O_NONBLOCK);
    try {
        known(identity_);
        os::write_all(gate.write.get(), "g", "the pipe to QEMU");
    } catch (...) {
        gate.write.reset();
        ::waitpid(child, nullptr, 0);
        throw;
    }
    failure.write.reset();
    Failure why{};
    if (::read(failure.read.get(), &why, sizeof why) == sizeof why) {
        ::waitpid(child, nullptr, 0);
        throw_failure(why, argv[0]);
    }
}

QemuProcess::QemuProcess(const ProcessIdentity& running, const std::filesystem::path& directory)
    : identity_(running),
      pidfd_(open_process(running)),
      console_(connect_to(directory, kConsoleSocket)),
      qmp_(connect_to(directory, kQmpSocket)),
      is_child_(false) {
    if (!pidfd_.is_open())
        throw error(ErrorKind::hypervisor, "QEMU has ended");
    ::fcntl(console_.get(), F_SETFL, O_NONBLOCK);
}

QemuProcess::~QemuProcess() {
    if (ended())
        return;
    kill();
    if (!is_child_) {
        wait_for_end(pidfd_, std::chrono::seconds(10));
        return;
    }
    while (::waitpid(identity_.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

std::string QemuProcess::read_console() {
    std::array<char, 16384> buffer{};
    const auto count = ::recv(console_.get(), buffer.data(), buffer.size(), 0);
    if (count > 0)
        return {buffer.data(), static_cast<std::size_t>(count)};
    if (count == 0 || (errno != EAGAIN && errno != EINTR))
        console_.reset();
    return {};
}

void QemuProcess::write_console(std::string& pending) {
    const auto count = ::send(console_.get(), pending.data(), pending.size(), MSG_NOSIGNAL);
    if (count > 0)
        pending.erase(0, static_cast<std::size_t>(count));
    else if (count < 0 && errno != EAGAIN && errno != EINTR)
        pending.clear();
}

void QemuProcess::read_complaints() {
    constexpr std::size_t kKept = 8 << 10;
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto count = complaints_.is_open() ? ::read(complaints_.get(), buffer.data(), buffer.size()) : 0;
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count <= 0) {
            complaints_.reset();
            return;
        }
        complaint_.append(buffer.data(), static_cast<std::size_t>(count));
        if (complaint_.size() > kKept)
            complaint_.erase(0, complaint_.size() - kKept);
    }
}

std::optional<int> QemuProcess::ended() {
    int status = 0;
    if (!is_child_ && !status_ && wait_for_end(pidfd_, std::chrono::milliseconds(0)))
        status_ = 0;
    if (is_child_ && !status_ && ::waitpid(identity_.pid, &status, WNOHANG) == identity_.pid)
        status_ = status;
    return status_;
}

void QemuProcess::kill() noexcept {
    send_signal(pidfd_, SIGKILL);
}

}  // namespace vprov::hypervisor
