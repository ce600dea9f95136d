#include "hypervisor/launch/segment.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/launch/process_identity.h"
#include "hypervisor/launch/tap.h"

namespace vprov::hypervisor {
namespace {

constexpr const char* kBridge = "segment";  // the only one in its namespace

Error refused(std::string_view step) {
    return system_error(ErrorKind::hypervisor, errno, step);
}

bool is_own_user_namespace(const os::Fd& users) {
    struct stat theirs {
    }, ours{};
    return ::fstat(users.get(), &theirs) == 0 && ::stat("/proc/self/ns/user", &ours) == 0 &&
           theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

void enter(const os::Fd& network) {
    const os::Fd users(::ioctl(network.get(), NS_GET_USERNS));
    if (!users.is_open())
        throw refused("finding out whose network it is");
    if (!is_own_user_namespace(users) && ::setns(users.get(), CLONE_NEWUSER) != 0)
        throw refused("entering its user namespace");
    if (::setns(network.get(), CLONE_NEWNET) != 0)
        throw refused("entering its network namespace");
}

// Without the right to make network namespaces, in a user namespace, where everybody has it.
void make_network() {
    if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        throw refused("making a network namespace");
    make_bridge(kBridge);
}

constexpr std::size_t kPassed = 2;

// "" and two descriptors, or what went wrong.
void send_answer(const os::Fd& socket, std::string text, const std::array<int, kPassed>* descriptors) {
    text.push_back('\0');
    iovec data{text.data(), text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kPassed)> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (descriptors) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        auto* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * kPassed);
        std::memcpy(CMSG_DATA(header), descriptors->data(), sizeof(int) * kPassed);
    }
    ::sendmsg(socket.get(), &message, MSG_NOSIGNAL);
}

SegmentPort receive_answer(const os::Fd& socket) {
    constexpr std::size_t kLongest = 4096;
    std::string text(kLongest, '\0');
    iovec data{text.data(), text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kPassed)> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto count = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
    if (count <= 0)
        throw error(ErrorKind::hypervisor, "the process that was to do it has ended");
    const auto* const header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int) * kPassed))
        throw error(ErrorKind::hypervisor, "{}", text.c_str());
    std::array<int, kPassed> descriptors{};
    std::memcpy(descriptors.data(), CMSG_DATA(header), sizeof descriptors);
    return {os::Fd(descriptors[0]), os::Fd(descriptors[1])};
}

// Does not return.
[[noreturn]] void connect_in_child(const os::Fd& socket, const os::Fd& network, const std::string& tap_name) {
    try {
        if (network.is_open())
            enter(network);
        else
            make_network();
        const auto tap = make_tap(tap_name, kBridge);
        const auto own = os::open_file("/proc/self/ns/net", O_RDONLY, 0, ErrorKind::hypervisor);
        const std::array<int, kPassed> descriptors = {tap.get(), own.get()};
        send_answer(socket, "", &descriptors);
    } catch (const Error& e) {
        send_answer(socket, e.message(), nullptr);
    }
    ::_exit(0);
}

// A process enters a namespace once and for all, so another does it.
SegmentPort connect(const os::Fd& network, const std::string& tap_name) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw refused("making a socket");
    const os::Fd ours(ends[0]);
    os::Fd theirs(ends[1]);
    const pid_t child = ::fork();
    if (child < 0)
        throw refused("making a process");
    if (child == 0)
        connect_in_child(theirs, network, tap_name);
    theirs.reset();
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return receive_answer(ours);
}

}  // namespace

os::Fd Segments::running(const std::string& segment) const {
    for (const auto& name : state_.names()) {
        const auto record = state_.read(name);
        if (!record || !is_alive(record->qemu))
            continue;
        const auto place = record->segments.find(segment);
        if (place == record->segments.end())
            continue;
        os::Fd network(
            ::open(fmt::format("/proc/{}/fd/{}", record->qemu.pid, place->second).c_str(), O_RDONLY | O_CLOEXEC));
        if (network.is_open() && is_alive(record->qemu))
            return network;
    }
    return {};
}

SegmentPort Segments::join(const std::string& segment, const std::string& tap) {
    if (!lock_)
        lock_.emplace(state_.root() / "segments.lock", os::FileLock::Mode::exclusive);
    try {
        auto& network = joined_[segment];
        if (!network.is_open())
            network = running(segment);
        auto port = connect(network, tap);
        if (!network.is_open())
            network = os::Fd(::fcntl(port.network.get(), F_DUPFD_CLOEXEC, 0));
        return port;
    } catch (const Error& e) {
        throw error(ErrorKind::hypervisor, "cannot connect to the segment {}: {}", quote(segment), e.message());
    }
}

}  // namespace vprov::hypervisor
