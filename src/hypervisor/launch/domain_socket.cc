#include "hypervisor/launch/domain_socket.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "base/text.h"

namespace vprov::hypervisor {
namespace {

constexpr std::size_t kMostQueued = 512 << 10;
constexpr std::size_t kMostTyped = 64 << 10;
constexpr std::size_t kLongestRequest = 256 << 10;
constexpr std::size_t kMostClients = 64;

}  // namespace

struct DomainSocket::Client {
    enum class Role { unknown, reader, writer, operating, answered };
    os::Fd fd;
    Role role = Role::unknown;
    std::string unread;  // the beginning of a line
    std::string queued;
    std::size_t lost = 0;

    bool is_console() const { return role == Role::reader || role == Role::writer; }
    bool is_done() const { return !fd.is_open() || (role == Role::answered && queued.empty()); }
};

DomainSocket::DomainSocket(os::Fd listening, const std::filesystem::path& log_file, Log log, Service& service)
    : listening_(std::move(listening)), log_(log_file, log == Log::begin), service_(service) {
    ::fcntl(listening_.get(), F_SETFL, O_NONBLOCK);
}

DomainSocket::~DomainSocket() = default;

void DomainSocket::said(std::string_view data) {
    log_.append(data);
    for (auto& client : clients_) {
        if (client->is_console())
            queue(*client, data);
    }
}

void DomainSocket::queue(Client& client, std::string_view data) {
    if (client.queued.size() + data.size() > kMostQueued) {
        client.lost += data.size();
        return;
    }
    if (client.lost > 0)
        client.queued += fmt::format("\r\n[{} bytes lost]\r\n", std::exchange(client.lost, 0));
    client.queued += data;
}

void DomainSocket::append_polls(std::vector<pollfd>& polls) const {
    polls.push_back({clients_.size() < kMostClients ? listening_.get() : -1, POLLIN, 0});
    for (const auto& client : clients_) {
        const bool is_held_back = client->role == Client::Role::writer && typed_.size() > kMostTyped;
        const auto events = (is_held_back ? 0 : POLLIN) | (client->queued.empty() ? 0 : POLLOUT);
        polls.push_back({client->fd.get(), static_cast<short>(events), 0});
    }
}

void DomainSocket::handle(std::span<const pollfd> polls) {
    std::size_t i = 1;
    for (auto& client : clients_) {
        const auto events = polls[i++].revents;
        if (events & POLLOUT)
            write_to(*client);
        if (client->fd.is_open() && (events & (POLLIN | POLLHUP | POLLERR)))
            read_from(*client);
    }
    clients_.remove_if([](const auto& client) { return client->is_done(); });
    if (polls[0].revents)
        accept_clients();
}

void DomainSocket::accept_clients() {
    os::Fd fd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.is_open())
        return;
    clients_.push_back(std::make_unique<Client>());
    clients_.back()->fd = std::move(fd);
}

void DomainSocket::read_from(Client& client) {
    std::array<char, 4096> buffer{};
    const auto count = ::recv(client.fd.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0)
        return close(client);
    const std::string_view data(buffer.data(), static_cast<std::size_t>(count));
    if (client.role == Client::Role::writer)
        typed_ += data;
    if (client.role != Client::Role::unknown && client.role != Client::Role::operating)
        return;
    client.unread += data;
    take_lines(client);
    if (client.unread.size() > kLongestRequest)
        close(client);
}

void DomainSocket::take_lines(Client& client) {
    for (auto end = client.unread.find('\n'); end != std::string::npos; end = client.unread.find('\n')) {
        const auto line = client.unread.substr(0, end);
        client.unread.erase(0, end + 1);
        if (client.role == Client::Role::unknown)
            first_line(client, line);
        else if (client.role == Client::Role::operating)
            operate(client, line);
        if (client.role == Client::Role::writer) {
            typed_ += client.unread;
            client.unread.clear();
        }
    }
}

void DomainSocket::first_line(Client& client, std::string_view line) {
    constexpr std::string_view kOperate = "operate ";
    if (line == "console read" || line == "console write") {
        attach(client, line == "console write");
    } else if (line.starts_with(kOperate)) {
        client.queued = service_.begin_operation(line.substr(kOperate.size())) + "\n";
        client.role = client.queued == "ok\n" ? Client::Role::operating : Client::Role::answered;
    } else {
        client.role = Client::Role::answered;
        client.queued = service_.answer(line) + "\n";
    }
    write_to(client);
}

void DomainSocket::operate(Client& client, std::string_view line) {
    client.queued += service_.go_on(line) + "\n";
    if (line == "done" || line == "run" || line == "finish")
        client.role = Client::Role::answered;
    write_to(client);
}

void DomainSocket::close(Client& client) {
    client.fd.reset();
    if (std::exchange(client.role, Client::Role::answered) == Client::Role::operating)
        service_.take_back_operation();
}

void DomainSocket::move_log(const std::filesystem::path& file) {
    log_.move_to(file);
}

void DomainSocket::attach(Client& client, bool wants_to_write) {
    const bool is_taken = std::any_of(clients_.begin(), clients_.end(), [](const auto& other) {
        return other->fd.is_open() && other->role == Client::Role::writer;
    });
    client.role = wants_to_write && !is_taken ? Client::Role::writer : Client::Role::reader;
    const auto recent = log_.recent();
    client.queued = fmt::format("console {} {}\n{}", client.role == Client::Role::writer ? "writer" : "reader",
                                recent.size(), recent);
}

void DomainSocket::write_to(Client& client) {
    while (!client.queued.empty()) {
        const auto count = ::send(client.fd.get(), client.queued.data(), client.queued.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno != EAGAIN)
            close(client);
        if (count < 0)
            return;
        client.queued.erase(0, static_cast<std::size_t>(count));
        if (client.queued.empty() && client.lost > 0)
            client.queued = fmt::format("\r\n[{} bytes lost]\r\n", std::exchange(client.lost, 0));
    }
}

void DomainSocket::flush(int milliseconds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    for (;;) {
        std::vector<pollfd> polls;
        for (auto& client : clients_)
            if (client->fd.is_open() && !client->queued.empty())
                polls.push_back({client->fd.get(), POLLOUT, 0});
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        if (polls.empty() || left <= 0 || ::poll(polls.data(), polls.size(), static_cast<int>(left)) <= 0)
            return;
        for (auto& client : clients_)
            if (client->fd.is_open())
                write_to(*client);
    }
}

}  // namespace vprov::hypervisor
