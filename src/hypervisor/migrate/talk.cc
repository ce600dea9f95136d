#include "hypervisor/migrate/talk.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {

void Talk::say(const nlohmann::json& message) {
    const auto text = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    try {
        os::send_all(stream_, text, "a message", ErrorKind::hypervisor);
    } catch (const Error&) {
        throw error(ErrorKind::hypervisor, "the connection to {} has ended", peer_);
    }
}

nlohmann::json Talk::hear(std::string_view wanted, std::chrono::milliseconds most) {
    const auto deadline = std::chrono::steady_clock::now() + most;
    while (!has_message()) {
        os::check_stop();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            throw error(ErrorKind::hypervisor, "{} does not answer", peer_);
        if (!read_more(left))
            throw error(ErrorKind::hypervisor, "the connection to {} has ended", peer_);
    }
    auto message = next();
    if (!message.contains(wanted))
        throw error(ErrorKind::hypervisor, "{} says something else than expected ({})", peer_, quote(message.dump()));
    return message;
}

void Talk::check() {
    while (!has_message()) {
        pollfd waiting{stream_.get(), POLLIN, 0};
        if (::poll(&waiting, 1, 0) <= 0)
            return;
        if (!read_more(std::chrono::milliseconds(0)))
            throw error(ErrorKind::hypervisor, "the connection to {} has ended", peer_);
    }
    if (unread_.starts_with(R"({"error")"))
        next();
}

// False at its end.
bool Talk::read_more(std::chrono::milliseconds most) {
    std::array<pollfd, 2> waiting = {{{stream_.get(), POLLIN, 0}, {os::stop_fd(), POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), static_cast<int>(most.count()));
    std::array<char, 16384> buffer{};
    const auto count = ::recv(stream_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0)
        unread_.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

nlohmann::json Talk::next() {
    const auto end = unread_.find('\n');
    const auto line = unread_.substr(0, end);
    unread_.erase(0, end + 1);
    auto message = nlohmann::json::parse(line, nullptr, false);
    if (!message.is_object())
        throw error(ErrorKind::hypervisor, "{} does not speak as vprov does: {}", peer_, quote(line));
    if (message.contains("error")) {
        has_refused_ = true;
        throw Error(ErrorKind::hypervisor, message.value("error", ""));
    }
    return message;
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FileCopy, path, bytes, format, disk)

nlohmann::json to_json(const Offer& offer) {
    return {{"request", nlohmann::json::parse(to_json(offer.request))},
            {"engine", offer.engine},
            {"qemu", offer.qemu},
            {"machine", offer.machine},
            {"live", offer.live},
            {"runs", offer.runs},
            {"bridges", offer.bridges},
            {"method", offer.method},
            {"copies", offer.copies},
            {"directory", offer.directory}};
}

Offer offer_from_json(const nlohmann::json& json) {
    try {
        return {request_from_json(json.at("request").dump()),
                json.at("engine").get<std::string>(),
                json.at("qemu").get<std::string>(),
                json.at("machine").get<std::string>(),
                json.at("live").get<bool>(),
                json.at("runs").get<bool>(),
                json.at("bridges").get<std::vector<std::string>>(),
                json.at("method").get<std::string>(),
                json.at("copies").get<std::vector<FileCopy>>(),
                json.at("directory").get<std::string>()};
    } catch (const nlohmann::json::exception& e) {
        throw error(ErrorKind::hypervisor, "cannot read what is offered: {}", e.what());
    }
}

}  // namespace vprov::hypervisor
