#include "hypervisor/migrate/peer.h"

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
#include "hypervisor/launch/process_identity.h"
#include "os/command.h"

namespace vprov::hypervisor {

Peer::Peer(const std::vector<std::string>& argv) {
    const auto program = os::find_program(argv.front());
    if (program.empty())
        throw error(ErrorKind::hypervisor, "cannot run {}: it is not installed", quote(argv.front()));
    std::vector<char*> words;
    words.reserve(argv.size() + 1);
    for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot make a socket");
    os::Fd ours(ends[0]);
    const os::Fd theirs(ends[1]);
    child_ = ::fork();
    if (child_ < 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot run " + quote(argv.front()));
    if (child_ == 0) {
        for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
        for (const int signal : {SIGINT, SIGHUP}) ::signal(signal, SIG_IGN);  // a terminal's; we end it when it is time
        ::dup2(theirs.get(), 0);
        ::dup2(theirs.get(), 1);
        ::execv(program.c_str(), words.data());
        ::_exit(127);
    }
    os::Fd in(::fcntl(ours.get(), F_DUPFD_CLOEXEC, 3));
    streams_ = std::make_unique<Streams>(std::move(in), std::move(ours));
}

Peer::~Peer() {
    streams_.reset();
    const os::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));
    if (!wait_for_end(pidfd, std::chrono::seconds(10)))
        send_signal(pidfd, SIGKILL);
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace vprov::hypervisor
