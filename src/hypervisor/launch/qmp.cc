#include "hypervisor/launch/qmp.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

namespace vprov::hypervisor {

QmpConnection::QmpConnection(os::Fd socket) : socket_(std::move(socket)) {
    ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
}

std::vector<nlohmann::json> QmpConnection::receive() {
    constexpr std::size_t kLongestLine = 1 << 20;
    std::vector<nlohmann::json> messages;
    std::array<char, 16384> buffer{};
    while (socket_.is_open()) {
        const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (count <= 0 || unread_.size() > kLongestLine) {
            socket_.reset();
            break;
        }
        unread_.append(buffer.data(), static_cast<std::size_t>(count));
        for (auto end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
            auto message = nlohmann::json::parse(unread_.substr(0, end), nullptr, false);
            unread_.erase(0, end + 1);
            if (message.is_object())
                messages.push_back(std::move(message));
            else
                socket_.reset();
        }
    }
    return messages;
}

void QmpConnection::execute(std::string_view command) {
    if (!socket_.is_open())
        return;
    const auto line = nlohmann::json{{"execute", command}, {"id", command}}.dump() + "\r\n";
    ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL);
}

}  // namespace vprov::hypervisor
