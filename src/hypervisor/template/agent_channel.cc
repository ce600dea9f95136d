#include "hypervisor/template/agent_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/engine/boot_diagnosis.h"
#include "hypervisor/launch/qemu_process.h"
#include "os/interrupt.h"

namespace vprov::hypervisor {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._:/+,").find(c) != std::string_view::npos;
}

std::string encoded(std::string_view text) {
    std::string out;
    for (const char c : text)
        out += is_plain(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    return out;
}

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        if (text[i] == '%' && text.size() - i > 2 &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ec == std::errc()) {
            out += static_cast<char>(byte);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace

AgentChannel::AgentChannel(const Domains& domains, const std::string& domain)
    : domains_(domains), domain_(domain), socket_(connect_to(domains.state().domain(domain), kAgentSocket)) {}

void AgentChannel::send(std::string_view command, const AgentValues& values) {
    auto line = fmt::format("{} {}", ++sent_, command);
    for (const auto& [key, value] : values) line += fmt::format(" {}={}", key, encoded(value));
    os::send_all(socket_, line + "\n", "a request to the guest's agent", ErrorKind::hypervisor);
}

bool AgentChannel::read_line(std::string& line, Clock::time_point deadline) {
    for (;;) {
        if (const auto end = unread_.find('\n'); end != std::string::npos) {
            line = unread_.substr(0, end);
            unread_.erase(0, end + 1);
            return true;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left <= 0ms)
            return false;
        std::array<pollfd, 2> waiting = {{{socket_.get(), POLLIN, 0}, {os::stop_fd(), POLLIN, 0}}};
        const auto most = std::min<std::chrono::milliseconds>(left, 1s);
        ::poll(waiting.data(), waiting.size(), static_cast<int>(most.count()));
        os::check_stop();
        if (!waiting[0].revents) {
            check_domain();
            continue;
        }
        std::array<char, 4096> buffer{};
        const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (count > 0)
            unread_.append(buffer.data(), static_cast<std::size_t>(count));
        else if (count == 0 || (errno != EINTR && errno != EAGAIN))
            throw Error(ErrorKind::hypervisor, "QEMU has ended");
    }
}

void AgentChannel::check_domain() const {
    if (!domains_.is_running(domain_))
        throw Error(ErrorKind::hypervisor, "it has ended");
    if (waits_for_room(domains_.console_log(domain_)))
        throw error(ErrorKind::hypervisor, "it {}", kWaitsForRoom);
}

AgentAnswer AgentChannel::answer(std::chrono::seconds most) {
    const auto deadline = Clock::now() + most;
    std::string line;
    while (read_line(line, deadline)) {
        const auto words = split_words(line);
        // an answer to what was asked before there was anybody to hear it is none any more
        if (words.size() < 2 || words[0] != std::to_string(answered_ + 1))
            continue;
        ++answered_;
        if (words[1] != "ok")
            throw Error(ErrorKind::hypervisor, words.size() > 2 ? decoded(words[2]) : "its agent refuses");
        AgentAnswer values;
        for (const auto word : words) {
            const auto equals = word.find('=');
            if (equals != std::string_view::npos)
                values.emplace(word.substr(0, equals), decoded(word.substr(equals + 1)));
        }
        return values;
    }
    throw error(ErrorKind::hypervisor, "its agent does not answer within {} s", most.count());
}

void AgentChannel::answers(std::chrono::seconds most, std::size_t but) {
    while (answered_ + but < sent_) answer(most);
}

AgentAnswer AgentChannel::ask(std::string_view command, const AgentValues& values, std::chrono::seconds most) {
    send(command, values);
    return answer(most);
}

// What is sent to a port that nobody has open is lost, so it is asked again.
AgentAnswer AgentChannel::wait_for_agent(std::chrono::seconds most) {
    for (const auto deadline = Clock::now() + most;;) {
        answered_ = sent_;
        try {
            return ask("identify", {}, 1s);
        } catch (const Error& e) {
            if (e.kind() == ErrorKind::interrupted || Clock::now() >= deadline)
                throw;
            check_domain();
        }
    }
}

}  // namespace vprov::hypervisor
