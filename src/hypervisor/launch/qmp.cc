#include "hypervisor/launch/qmp.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
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

void QmpConnection::execute(std::string_view command, const os::Fd* passed) {
    execute(command, nlohmann::json::object(), passed);
}

void QmpConnection::execute(std::string_view command, const nlohmann::json& arguments, const os::Fd* passed) {
    if (!socket_.is_open())
        return;
    nlohmann::json order = {{"execute", command}, {"id", command}};
    if (!arguments.empty())
        order["arguments"] = arguments;
    auto line = order.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\r\n";
    iovec text{line.data(), line.size()};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    if (passed) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        auto* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        const int fd = passed->get();
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
}

}  // namespace vprov::hypervisor
