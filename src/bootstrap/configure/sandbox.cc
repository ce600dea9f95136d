#include "bootstrap/configure/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/configure/sandbox_child.h"
#include "bootstrap/configure/stand_ins.h"
#include "os/interrupt.h"
#include "os/syscall_filter.h"
#include "os/temp_dir.h"

namespace vprov::configure {
namespace {

constexpr std::string_view kStub =
    "#!/bin/sh\n"
    "# Stands in for start-stop-daemon while packages are configured: nothing is started.\n"
    "exit 0\n";
// ischroot(1) compares its root directory with that of process 1, which here is the same. libc6's postinst (2.36) would
// have init start itself anew, and wait a second for it.
constexpr std::string_view kIsChroot = "#!/bin/sh\nexit 0\n";
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

void wait_for(pid_t child) {
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

os::Fd memory_file(std::string_view text) {
    os::Fd file(::memfd_create("vprov-command", MFD_CLOEXEC));
    if (!file.is_open())
        throw system_error(ErrorKind::script, errno, "cannot make a memory file");
    os::write_all(file.get(), text, "a memory file");
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

void send_order(int socket, Sandbox::Ticket ticket, std::span<const int> descriptors) {
    Order order{ticket};
    struct iovec part = {&order, sizeof order};
    alignas(struct cmsghdr) std::array<char, CMSG_SPACE(kOrderDescriptors * sizeof(int))> control{};
    struct msghdr message {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        auto* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
    }
    while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
        if (errno == EPIPE || errno == ECONNRESET)
            return;  // the reply says why
        if (errno != EINTR)
            throw system_error(ErrorKind::script, errno, "cannot give the sandbox a command");
    }
}

}  // namespace

struct Sandbox::Running {
    explicit Running(SandboxCommand what, os::Fd out, os::Fd reports)
        : command(std::move(what)),
          output(std::move(out), command.on_output),
          status(std::move(reports), command.on_status) {}
    bool has_ended() const { return exit && !output.is_open() && !status.is_open(); }

    SandboxCommand command;
    LineReader output, status;
    std::optional<int> exit;
    std::string failure;  // of setting it up
};

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

Sandbox::Sandbox(const std::filesystem::path& root, const std::filesystem::path& work, std::string hostname,
                 Network network)
    : root_(root),
      stand_ins_(work / "stand-ins"),
      hostname_(std::move(hostname)),
      network_(network),
      filter_(os::make_sync_filter()) {
    std::filesystem::create_directory(stand_ins_);
    os::write_file(stand_ins_ / "start-stop-daemon", kStub, 0755);
    os::write_file(stand_ins_ / "ischroot", kIsChroot, 0755);
    os::write_file(stand_ins_ / "gzip", gzip_program(), 0755);
    if (!small_programs().empty())
        os::write_file(stand_ins_ / "small", small_programs(), 0755);
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw system_error(ErrorKind::script, errno, "cannot start the sandbox");
    socket_ = os::Fd(ends[0]);
    const os::Fd other(ends[1]);
    const pid_t parent = ::getpid();
    process_ = ::fork();
    if (process_ < 0)
        throw system_error(ErrorKind::script, errno, "cannot start the sandbox");
    if (process_ == 0) {
        socket_.reset();
        run_sandbox({{root_, stand_ins_, network_}, hostname_, filter_, other.get()}, parent);
    }
}

Sandbox::~Sandbox() {
    try {
        close();
    } catch (const Error&) {  // the tree is on its way out too
    }
}

void Sandbox::close() {
    socket_.reset();
    if (process_ > 0)
        wait_for(std::exchange(process_, -1));
    if (!std::exchange(entered_, false))
        return;
    root_.remove(kPolicy);
    for (const auto& path : placeholders_) root_.remove(path);
}

void Sandbox::enter() {
    entered_ = true;
    root_.write(kPolicy, "#!/bin/sh\nexit 101\n", 0755);
    placeholders_ = make_placeholders(root_, network_);
    running_[0] = std::make_unique<Running>(SandboxCommand{}, os::Fd(), os::Fd());
    send_order(socket_.get(), 0, {});
    wait(0);
}

void Sandbox::fail_as_ended() {
    if (process_ > 0)
        wait_for(std::exchange(process_, -1));
    os::check_stop();
    throw error(ErrorKind::script, "cannot use the sandbox: it has ended");
}

void Sandbox::take_reply() {
    std::array<char, sizeof(Reply) + kReplyText> buffer{};
    const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR)
        return;
    if (size < static_cast<ssize_t>(sizeof(Reply)))
        fail_as_ended();
    Reply reply;
    std::memcpy(&reply, buffer.data(), sizeof reply);
    const auto found = running_.find(reply.ticket);
    if (found == running_.end())
        return;
    found->second->exit = reply.status;
    found->second->failure.assign(buffer.data() + sizeof reply, static_cast<std::size_t>(size) - sizeof reply);
}

void Sandbox::take_events() {
    std::vector<pollfd> waiting = {{os::stop_fd(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
    std::vector<LineReader*> readers;
    for (const auto& [ticket, running] : running_)
        for (auto* reader : {&running->status, &running->output})
            if (reader->is_open()) {
                waiting.push_back({reader->get(), POLLIN, 0});
                readers.push_back(reader);
            }
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
        throw system_error(ErrorKind::internal, errno, "cannot wait for the sandbox");
    if (os::stop_requested())
        fail_as_ended();  // it has seen the stop too, and ends
    for (std::size_t i = 0; i < readers.size(); ++i)
        if (waiting[i + 2].revents)
            readers[i]->read();
    if (waiting[1].revents)
        take_reply();
}

Sandbox::Ticket Sandbox::start(SandboxCommand command) {
    os::check_stop();
    if (!entered_)
        enter();
    auto input = os::make_pipe();
    auto output = os::make_pipe();
    auto status = os::make_pipe();
    os::write_all(input.write.get(), command.input, "standard input");
    const auto payload = memory_file(encode_command(command));
    const std::array<int, kOrderDescriptors> given = {payload.get(), input.read.get(), output.write.get(),
                                                      status.write.get()};
    const auto ticket = ++last_ticket_;
    running_[ticket] = std::make_unique<Running>(std::move(command), std::move(output.read), std::move(status.read));
    send_order(socket_.get(), ticket, given);
    return ticket;
}

int Sandbox::wait(Ticket ticket) {
    while (!running_.at(ticket)->has_ended()) take_events();
    const auto running = std::move(running_.extract(ticket).mapped());
    if (running->failure.empty())
        return *running->exit;
    const auto what =
        running->command.argv.empty() ? std::string("maintainer scripts") : quote(running->command.argv[0]);
    throw error(ErrorKind::script, "cannot set up the sandbox for {}: {}", what, running->failure);
}

int Sandbox::run(SandboxCommand command) {
    return wait(start(std::move(command)));
}

}  // namespace vprov::configure
