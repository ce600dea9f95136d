#include "hypervisor/migrate/streams.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <vector>

#include "base/error.h"

namespace vprov::hypervisor {
namespace {

constexpr std::size_t kFrame = 64 << 10;
constexpr std::size_t kMostWaiting = 1 << 20;  // in one direction, before it is not read any more
constexpr std::size_t kHeader = 4;

void set_nonblocking(const os::Fd& fd) {
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

std::string header(std::uint8_t number, std::size_t length) {
    return {static_cast<char>(number), static_cast<char>(length >> 16), static_cast<char>(length >> 8),
            static_cast<char>(length)};
}

std::size_t length_in(std::string_view header) {
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(header[i])); };
    return byte(1) << 16 | byte(2) << 8 | byte(3);
}

}  // namespace

Streams::Streams(os::Fd in, os::Fd out)
    : in_(std::move(in)), out_(std::move(out)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    set_nonblocking(in_);
    set_nonblocking(out_);
    sigset_t all, before;  // signals are the other threads' business; SIGPIPE becomes EPIPE
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { pass_on(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Streams::~Streams() {
    {
        const std::scoped_lock lock(mutex_);
        closing_ = true;
    }
    ::eventfd_write(wake_.get(), 1);
    thread_.join();
}

os::Fd Streams::open(std::uint8_t number) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot make a socket");
    os::Fd other(ends[1]);
    attach(number, os::Fd(ends[0]));
    return other;
}

void Streams::attach(std::uint8_t number, os::Fd socket) {
    set_nonblocking(socket);
    {
        const std::scoped_lock lock(mutex_);
        if (!ended_)
            streams_[number].local = std::move(socket);
    }
    ::eventfd_write(wake_.get(), 1);
}

void Streams::pass_on() {
    std::optional<std::chrono::steady_clock::time_point> last;
    for (;;) {
        const bool is_open = wait_and_pass();
        const std::scoped_lock lock(mutex_);
        if (!is_open) {
            ended_ = true;
            for (auto& [number, stream] : streams_) stream.local.reset();
            in_.reset();
            out_.reset();
            return;
        }
        if (closing_ && !last)
            last = std::chrono::steady_clock::now() + std::chrono::seconds(2);
        if (last && (is_drained() || std::chrono::steady_clock::now() >= *last)) {
            out_.reset();
            in_.reset();
            return;
        }
    }
}

// False when the connection has ended.
bool Streams::wait_and_pass() {
    std::vector<pollfd> polls;
    std::vector<std::uint8_t> numbers;
    bool is_closing = false;
    {
        const std::scoped_lock lock(mutex_);
        is_closing = closing_;
        polls = {{wake_.get(), POLLIN, 0},
                 {in_.get(), static_cast<short>(most_arrived() < kMostWaiting ? POLLIN : 0), 0},
                 {out_.get(), static_cast<short>(unsent_.empty() ? 0 : POLLOUT), 0}};
        for (const auto& [number, stream] : streams_) {
            const bool reads = stream.local.is_open() && !stream.sent_end && unsent_.size() < kMostWaiting;
            const bool writes = stream.local.is_open() && (!stream.arrived.empty());
            polls.push_back({reads || writes ? stream.local.get() : -1,
                             static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), 0});
            numbers.push_back(number);
        }
    }
    ::poll(polls.data(), polls.size(), is_closing ? 20 : -1);
    const std::scoped_lock lock(mutex_);
    eventfd_t none = 0;
    ::eventfd_read(wake_.get(), &none);
    if (polls[1].revents)
        read_connection();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        auto& stream = streams_[numbers[i]];
        write_local(stream);
        if (polls[i + 3].revents & (POLLIN | POLLHUP | POLLERR))
            read_local(numbers[i], stream);
    }
    write_connection();
    return in_.is_open() && out_.is_open();
}

std::size_t Streams::most_arrived() const {
    std::size_t most = 0;
    for (const auto& [number, stream] : streams_) most = std::max(most, stream.arrived.size());
    return most;
}

bool Streams::is_drained() const {
    for (const auto& [number, stream] : streams_)
        if (stream.local.is_open() && !stream.sent_end)
            return false;
    return unsent_.empty();
}

void Streams::read_connection() {
    std::array<char, kFrame> buffer;
    const auto count = ::read(in_.get(), buffer.data(), buffer.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        in_.reset();
        return;
    }
    unread_.append(buffer.data(), static_cast<std::size_t>(count));
    take_frames();
}

void Streams::take_frames() {
    std::size_t at = 0;
    while (unread_.size() - at >= kHeader) {
        const auto length = length_in(std::string_view(unread_).substr(at));
        if (unread_.size() - at - kHeader < length)
            break;
        auto& stream = streams_[static_cast<std::uint8_t>(unread_[at])];
        stream.arrived.append(unread_, at + kHeader, length);
        stream.ended |= length == 0;
        write_local(stream);
        at += kHeader + length;
    }
    unread_.erase(0, at);
}

void Streams::read_local(std::uint8_t number, Stream& stream) {
    std::array<char, kFrame> buffer;
    const auto count = stream.sent_end ? -1 : ::recv(stream.local.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && (stream.sent_end || errno == EAGAIN || errno == EINTR))
        return;
    const auto length = count > 0 ? static_cast<std::size_t>(count) : 0;
    unsent_ += header(number, length);
    unsent_.append(buffer.data(), length);
    stream.sent_end = length == 0;
}

void Streams::write_local(Stream& stream) {
    while (!stream.arrived.empty() && stream.local.is_open()) {
        const auto count = ::send(stream.local.get(), stream.arrived.data(), stream.arrived.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        stream.arrived.erase(0, count < 0 ? std::string::npos : static_cast<std::size_t>(count));  // nobody reads it
    }
    if (stream.ended && stream.local.is_open() && stream.arrived.empty())
        ::shutdown(stream.local.get(), SHUT_WR);
}

void Streams::write_connection() {
    while (!unsent_.empty() && out_.is_open()) {
        const auto count = ::write(out_.get(), unsent_.data(), unsent_.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0)
            out_.reset();
        else
            unsent_.erase(0, static_cast<std::size_t>(count));
    }
}

}  // namespace vprov::hypervisor
